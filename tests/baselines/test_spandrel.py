"""Weights files of ten architectures by spandrel, and files that are none: one line each."""

import pickle
import sys
from argparse import Namespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from baselines.realesrgan.networks import SRVGGNet
from baselines.spandrel import Spandrel, weights
from bench import config
from bench.run.plan import open_plan
from frames.errors import EnvironmentInvalid, UserError

pytest.importorskip("spandrel", reason="spandrel is not installed (the extra `spandrel`)")


def networks() -> dict[str, nn.Module]:
    """Ten small networks with random weights."""
    from spandrel.architectures.Compact import Compact
    from spandrel.architectures.DAT import DAT
    from spandrel.architectures.ESRGAN import ESRGAN
    from spandrel.architectures.HAT import HAT
    from spandrel.architectures.MoSR import MoSR
    from spandrel.architectures.OmniSR import OmniSR
    from spandrel.architectures.PLKSR import PLKSR
    from spandrel.architectures.SAFMN import SAFMN
    from spandrel.architectures.SPAN import SPAN
    from spandrel.architectures.SwinIR import SwinIR

    torch.manual_seed(0)
    attention = {"embed_dim": 32, "num_heads": [2], "upscale": 4, "upsampler": "pixelshuffle"}
    return {
        "Compact": Compact(num_feat=8, num_conv=2),
        "ESRGAN": ESRGAN(num_filters=8, num_blocks=1),
        "SPAN": SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8),
        "SwinIR": SwinIR(**attention, depths=[2], window_size=8),
        "DAT": DAT(**attention, depth=[2], split_size=[4, 4]),
        "HAT": HAT(**attention, depths=(2,), window_size=8, squeeze_factor=4),
        "OmniSR": OmniSR(num_feat=8, res_num=1),
        "SAFMN": SAFMN(dim=8, n_blocks=1),
        "PLKSR": PLKSR(dim=8, n_blocks=1),
        "MoSR": MoSR(n_block=1, dim=8),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The ten as people pass weights on: wrapped, prefixed, in either format."""
    where = tmp_path_factory.mktemp("weights")
    for index, (name, network) in enumerate(networks().items()):
        state = network.state_dict()
        if index == 0:
            save_file({key: value.contiguous() for key, value in state.items()}, where / f"{name}.safetensors")
        elif index == 1:
            torch.save({"params_ema": state, "params": {"other": torch.ones(1)}}, where / f"{name}.pth")
        else:
            torch.save({f"module.{key}": value for key, value in state.items()}, where / f"{name}.pth")
    return where


@pytest.mark.parametrize(
    "name", ["Compact", "ESRGAN", "SPAN", "SwinIR", "DAT", "HAT", "OmniSR", "SAFMN", "PLKSR", "MoSR"]
)
def test_an_architecture_is_found_and_upscales_any_size(folder, name, panning_lr):
    (file,) = folder.glob(f"{name}.*")
    upscaler = Spandrel(file, licence="MIT")
    clip = panning_lr[:2, :, :9, :13]
    sr = upscaler.upscale(clip)
    assert sr.dtype == torch.uint8 and sr.shape == (2, 3, 36, 52)
    said = upscaler.descriptor
    assert said.name == f"spandrel-{name}" and said.scale == 4 and said.licence == "MIT"
    assert said.parameters == sum(each.numel() for each in networks()[name].parameters())
    assert said.size_rule.padding == "reflect" and said.size_rule.fitted(9) % said.size_rule.multiple_of == 0


def test_the_frames_are_the_network_s_own_rounded(folder, panning_lr):
    network = networks()["SPAN"].eval()
    with torch.inference_mode():
        expected = (network(panning_lr[:1] / 255) * 255).clamp(0, 255).add(0.5).to(torch.uint8)
    assert torch.equal(Spandrel(folder / "SPAN.pth").upscale(panning_lr[:1]), expected)


def test_our_compact_network_is_spandrel_s(tmp_path, panning_lr):
    # Same network under the names that Real-ESRGAN gave its layers: why spandrel replaces none of ours.
    torch.manual_seed(1)
    ours = SRVGGNet(layers=3, channels=16).eval()
    torch.save({"params": ours.state_dict()}, tmp_path / "compact.pth")
    theirs = Spandrel(tmp_path / "compact.pth").upscale(panning_lr[:1])
    with torch.inference_mode():
        expected = (ours(panning_lr[:1] / 255) * 255).clamp(0, 255).add(0.5).to(torch.uint8)
    assert torch.equal(theirs, expected)


def test_tiles_give_the_whole_frame(folder, panning_lr):
    whole = Spandrel(folder / "Compact.safetensors").upscale(panning_lr[:1])
    tiled = Spandrel(folder / "Compact.safetensors", tile=16, context=8)
    assert (tiled.upscale(panning_lr[:1]).int() - whole.int()).abs().max() <= 1
    assert "tiles of 16 LR pixels with 8 of context" in tiled.descriptor.notes


def test_bfloat16_is_close_to_float32(folder, panning_lr):
    exact, half = (Spandrel(folder / "ESRGAN.pth", precision=name) for name in ("float32", "bfloat16"))
    difference = half.upscale(panning_lr[:1]).float() - exact.upscale(panning_lr[:1]).float()
    assert difference.square().mean().sqrt() < 2


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"scale": 2}, "upscales by 4, not by 2; run it with scale=4"),
        ({"tile": -1}, "method.tile=-1: write auto"),
        ({"tile": "some"}, "method.tile=some"),
        ({"context": -1}, "method.context=-1"),
        ({"precision": "int8"}, "float32, bfloat16, float16"),
    ],
    ids=str,
)
def test_options_that_do_not_fit_are_one_line(folder, options, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        Spandrel(folder / "ESRGAN.pth", **options)
    assert "\n" not in str(caught.value)


def test_precisions_that_spandrel_denies_are_refused(folder):
    with pytest.raises(ValueError, match="DAT cannot; it can float32, bfloat16"):
        Spandrel(folder / "DAT.pth", precision="float16")


class Evil:
    def __reduce__(self):
        return (sys.exit, ("ran",))


def hostile(path, name):
    """Write a file that is no weights of a network, or that would run."""
    state = networks()["ESRGAN"].state_dict()
    contents = {
        "numpy scalars": {"params": state, "psnr": np.float64(30)},
        "a whole model": nn.Linear(2, 2),
        "code": {"params": Evil()},
        "options of a trainer": {"params": state, "args": Namespace(lr=1)},
        "another architecture": {"encoder.0.weight": torch.ones(2, 2)},
        "half of a network": dict(list(state.items())[: len(state) // 2]),
        "values that are not finite": state | {"model.0.bias": torch.full((8,), torch.nan)},
        "no tensors": {"epoch": 3},
    }
    if name in contents:
        torch.save(contents[name], path)
    elif name == "TorchScript":
        with pytest.warns((DeprecationWarning, FutureWarning)):
            torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2)).save(path)
    elif name == "a bare pickle":
        path.write_bytes(pickle.dumps(Evil()))
    elif name == "cut short":
        torch.save(state, path)
        path.write_bytes(path.read_bytes()[:2000])
    elif name == "a safetensors header alone":
        path.write_bytes(b'\x10\0\0\0\0\0\0\0{"a":{"dtype"')
    elif name == "a folder":
        path.mkdir()


@pytest.mark.parametrize(
    "name, complaint",
    [
        ("numpy scalars", "numpy values beside the weights .*save its weights alone"),
        ("a whole model", "torch.nn.modules.linear.Linear.*save its weights alone"),
        ("code", "it holds more than tensors .sys.exit"),
        ("options of a trainer", "argparse.Namespace"),
        ("another architecture", "of no architecture that spandrel 0.*knows; it knows ATD, .*Uformer"),
        ("half of a network", "w.pt: taken for|w.pt: of no architecture"),
        ("values that are not finite", "model.0.bias has values that are not finite"),
        ("no tensors", "no weights in it .epoch."),
        ("TorchScript", "a TorchScript program, which is not run here; give the model's state dict"),
        ("a bare pickle", "not a readable torch checkpoint"),
        ("cut short", "not a readable torch checkpoint"),
        ("a safetensors header alone", "not a readable torch checkpoint"),
        ("a folder", "a folder, not a regular file"),
        ("nothing", "no such weights file"),
    ],
)
def test_wrong_and_hostile_files_are_one_line(tmp_path, name, complaint):
    hostile(tmp_path / "w.pt", name)
    with pytest.raises((ValueError, FileNotFoundError), match=complaint) as caught:
        weights.load(tmp_path / "w.pt")
    assert "\n" not in str(caught.value) and "w.pt" in str(caught.value)


def test_without_spandrel_one_line_says_what_to_install(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(EnvironmentInvalid, match="method=spandrel: .*pip install spandrel==0.4.2"):
        Spandrel(folder / "ESRGAN.pth")


def labels(*words):
    return [each.method for each in config.expand(["data=sample", "method=spandrel", *words])]


def test_a_folder_and_a_list_of_files_are_a_row_each(folder):
    ten = labels(f"method.weights={folder}")
    assert len(ten) == 10 and ten[0] == "spandrel[weights=Compact.safetensors]" and "spandrel[weights=SPAN.pth]" in ten
    two = [f"spandrel[weights={name}.pth]" for name in ("DAT", "HAT")]
    assert labels(f"method.weights=[{folder}/DAT.pth,{folder}/HAT.pth]") == two
    assert labels(f"method.weights={folder}/DAT.pth,{folder}/HAT.pth") == two
    assert labels(f"method.weights={folder}/DAT.pth") == ["spandrel"]


def test_a_folder_without_weights_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no .pth, .pt, .ckpt, .safetensors file in this folder"):
        labels(f"method.weights={tmp_path}")


def test_without_weights_the_option_is_named():
    with pytest.raises(UserError, match="method spandrel needs method.weights=VALUE"):
        open_plan(config.expand(["data=sample", "method=spandrel", "metrics=[psnr]"]))
