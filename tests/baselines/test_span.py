"""SPAN from ncnn files: equal to spandrel's network, which holds the branches of training, and its complaints."""

import numpy as np
import pytest
import torch
from torch import nn

from baselines.ncnn import Constant
from baselines.span import Span
from baselines.span.network import SPAN
from baselines.span.upscaler import load
from bench import assets


def write(folder, network: SPAN):
    """The network's weights as ncnn files; layers without weights are left out of the list."""
    lines, content = [], b""
    for index, module in enumerate(network.modules()):
        if isinstance(module, Constant):
            lines.append(f"MemoryData mean_{index} 0 1 mean 0=1 1=1 2=3")
            content += module.weight.detach().numpy().astype("<f4").tobytes()
        elif isinstance(module, nn.Conv2d):
            kernel, size = module.kernel_size[0], module.weight.numel()
            lines.append(f"Convolution conv_{index} 1 1 in out 0={module.out_channels} 1={kernel} 5=1 6={size}")
            content += bytes(4) + module.weight.detach().numpy().astype("<f4").tobytes()
            content += module.bias.detach().numpy().astype("<f4").tobytes()
    (folder / "span.param").write_text(f"7767517\n{len(lines)} 1\n" + "\n".join(lines) + "\n")
    (folder / "span.bin").write_bytes(content)
    return folder / "span.param", folder / "span.bin"


@pytest.fixture
def network() -> SPAN:
    torch.manual_seed(0)
    network = SPAN(channels=8, scale=2)
    network.mean.weight.data = torch.tensor([0.4488, 0.4371, 0.4040])
    return network.eval()


def test_equals_spandrel_s_network(network):
    architecture = pytest.importorskip("spandrel.architectures.SPAN", reason="spandrel is not installed")
    torch.manual_seed(1)
    theirs = architecture.SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2).eval()
    x = torch.rand(1, 3, 9, 11)
    with torch.inference_mode():
        expected = theirs(x)  # this also sums the branches of each convolution into one, `eval_conv`
        single = [theirs.conv_1, *(c for b in range(1, 7) for c in convs(getattr(theirs, f"block_{b}"))), theirs.conv_2]
        pairs = [each.eval_conv for each in single] + [theirs.conv_cat, theirs.upsampler[0]]
        ours = [each for each in network.modules() if isinstance(each, nn.Conv2d)]
        for mine, other in zip(ours, pairs, strict=True):
            mine.weight.data, mine.bias.data = other.weight.data, other.bias.data
        assert torch.allclose(network(x), expected, atol=1e-4 * expected.abs().max())


def convs(block):
    return block.c1_r, block.c2_r, block.c3_r


def test_files_give_the_network_back(tmp_path, network):
    read = load(*write(tmp_path, network))
    x = torch.rand(1, 3, 6, 7)
    assert read.scale == 2 and torch.equal(read(x), network(x))


def test_a_width_that_one_layer_announces_takes_no_memory(tmp_path, network, allocated):
    network.enter = nn.Conv2d(3, 4096, 1)
    files = write(tmp_path, network)
    with allocated() as sizes, pytest.raises(ValueError, match="is not SPAN's"):
        load(*files)
    assert max(sizes, default=0) < 1e6


def test_any_size_and_tiles(tmp_path, network, panning_lr):
    files = write(tmp_path, network)
    whole = Span(*files, scale=2).upscale(panning_lr[:1])
    tiled = Span(*files, scale=2, tile=16, channels=8).upscale(panning_lr[:1])
    assert whole.shape == (1, 3, 74, 90) and (whole.int() - tiled.int()).abs().max() <= 1


def test_what_does_not_fit_is_one_line(tmp_path, network):
    files = write(tmp_path, network)
    with pytest.raises(ValueError, match="upscales by 2, not by 4"):
        Span(*files)
    with pytest.raises(ValueError, match="8 channels, not 52; run it with method.channels=8"):
        Span(*files, channels=52, scale=2)
    with pytest.raises(ValueError, match="method.tile=-1"):
        Span(*files, tile=-1, scale=2)
    (tmp_path / "none.param").write_text("7767517\n1 1\nInput in 0 1 data\n")
    (tmp_path / "none.bin").write_bytes(b"")
    with pytest.raises(ValueError, match="no SPAN network"):
        load(tmp_path / "none.param", tmp_path / "none.bin")


def test_the_package_s_weights_keep_the_content_of_a_photograph(panning_lr, panning_hr):
    try:
        files = [assets.path(f"span/x4-ch48.{end}") for end in ("param", "bin")]
    except FileNotFoundError as error:
        pytest.skip(str(error))
    error = Span(*files).upscale(panning_lr[:1])[0].permute(1, 2, 0).numpy() - panning_hr[0].astype(np.float64)
    assert 10 * np.log10(255**2 / (error**2).mean()) > 24
