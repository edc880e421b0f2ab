"""LPIPS on SqueezeNet: the numbers of the lpips package on one random backbone; weights that the hub alone has."""

import lpips as package
import pytest
import torch
import torchvision

from bench.metrics import backbones, lpips, squeezenet
from bench.metrics.registry import build
from frames.errors import UserError


def test_lpips_squeeze_equals_the_lpips_package(small_tid, monkeypatch):
    torch.manual_seed(0)
    theirs = package.LPIPS(net="squeeze", pnet_rand=True, verbose=False).eval()
    layers = [each for each in theirs.net.modules() if isinstance(each, torch.nn.Conv2d)]
    for module in (lpips, squeezenet):
        monkeypatch.setattr(module, "convolutions", lambda net: [(each.weight.data, each.bias.data) for each in layers])
    ours = lpips.build("squeeze", "cpu")
    for sr, gt in small_tid.values():
        x, y = (torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 127.5 - 1 for frame in (sr, gt))
        with torch.inference_mode():
            expected = theirs(x, y).item()
        assert ours.score(sr, gt) == pytest.approx(expected, abs=1e-5)
        assert ours.compare(sr, ours.prepare(gt)) == pytest.approx(expected, abs=1e-5)
    assert len(ours.heads) == 7 and ours.signature.startswith("lpips|squeeze-v0.1|")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """torchvision's cache, empty, behind a network that is down."""

    def refuse(*arguments, **options):
        raise OSError("the network is down")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    backbones.convolutions.cache_clear()
    yield tmp_path / "hub" / "checkpoints"
    backbones.convolutions.cache_clear()


def test_without_its_weights_one_line_says_where_they_are_looked_for(hub):
    with pytest.raises(UserError, match="not at .*hub/checkpoints/squeezenet1_1-b8a52dc0.pth, .*network is down.*put"):
        build.__wrapped__("lpips-squeeze")


def test_weights_in_the_cache_are_taken_and_other_files_refused(hub):
    hub.mkdir(parents=True)
    file = hub / "squeezenet1_1-b8a52dc0.pth"
    file.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(UserError, match="squeezenet1_1-b8a52dc0.pth: not the weights of squeezenet1_1 .*; delete it"):
        backbones.convolutions("squeeze")
    torch.save(torchvision.models.squeezenet1_1(weights=None).state_dict(), file)
    found = backbones.convolutions("squeeze")
    assert [tuple(weight.shape) for weight, _ in found[:4]] == [
        (64, 3, 3, 3),
        (16, 64, 1, 1),
        (64, 16, 1, 1),
        (64, 16, 3, 3),
    ]
    assert len(found) == 25
