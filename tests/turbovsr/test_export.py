"""The decoder path as an ONNX file: equal to torch at sizes and lengths that the tracer has not seen."""

import dataclasses
import sys

import pytest
import torch

from bench.methods.contract import SizeRule
from frames.errors import EnvironmentInvalid, UserError
from tests.turbovsr.conftest import TINY, tiny_model
from turbovsr import checkpoints, consistency, export
from turbovsr.__main__ import main
from turbovsr.pipeline import TurboVSR

needs_onnx = pytest.mark.skipif(
    any(__import__("importlib.util").util.find_spec(name) is None for name in ("onnx", "onnxruntime")),
    reason="onnx or onnxruntime is not installed (the extra `onnx`)",
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Of a decoder at half the LR size, without a memory, consistent with its LR frames."""
    path = tmp_path_factory.mktemp("onnx") / "tiny.safetensors"
    checkpoints.save(tiny_model(TINY), path, torch.float32, licence="none", origin="random")
    return path


@pytest.fixture(scope="module")
def file(weights):
    out = weights.with_suffix(".onnx")
    assert main(["export", str(weights), str(out)]) == 0
    return out


def parameters_without_a_latent(model: TurboVSR) -> int:
    of_latent = ("synthesis.", "cells_in.")
    parameters = model.model.decoder.named_parameters()
    return sum(p.numel() for name, p in parameters if not name.startswith(of_latent))


@needs_onnx
@pytest.mark.parametrize("shape", [(1, 3, 32, 64), (5, 3, 72, 40)], ids=str)
def test_onnxruntime_gives_torch_s_frames(weights, file, shape):
    import onnxruntime

    model = TurboVSR.from_pretrained(weights, device="cpu", precision="float32", use_latent=False)
    torch.manual_seed(0)
    lr = torch.rand(shape)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    sr = torch.from_numpy(session.run(None, {"lr": lr.numpy()})[0])
    with torch.no_grad():
        expected = export.DecoderPath(model.model.decoder)(lr)
    assert sr.shape == (shape[0], 3, 4 * shape[2], 4 * shape[3])
    assert (sr - expected).abs().max() < 1e-4


@needs_onnx
@pytest.mark.parametrize("weights", ["tiny", "nano", "nano-real"])
def test_a_memory_goes_from_frame_to_frame(tmp_path, weights):
    from baselines.onnx import Onnx

    if weights == "tiny":
        weights = str(tmp_path / "memory.safetensors")
        config = dataclasses.replace(TINY, decoder_memory=True, decoder_reduction=1, decoder_inner_blocks=(1, 1))
        config = dataclasses.replace(config, decoder_colours=(8, 1), consistent=False)
        checkpoints.save(tiny_model(config), weights, torch.float32, licence="none", origin="random")
    file = tmp_path / "memory.onnx"
    assert main(["export", weights, str(file)]) == 0
    model = TurboVSR.from_pretrained(weights, device="cpu", precision="float32", use_latent=False)
    lr = torch.randint(0, 256, (7, 3, 40, 45), dtype=torch.uint8)
    frames, upscaler = model.upscale(lr), Onnx(file)
    assert (upscaler.upscale(lr).int() - frames.int()).abs().max() <= 1
    assert not torch.equal(frames[1:], model.upscale(lr[1:])), "a frame before was forgotten"
    assert upscaler.descriptor.kind == "video"
    assert upscaler.descriptor.parameters == parameters_without_a_latent(model)


@needs_onnx
def test_method_onnx_gives_the_frames_of_turbovsr_without_a_latent(weights, file):
    from baselines.onnx import Onnx

    model = TurboVSR.from_pretrained(weights, device="cpu", precision="float32", use_latent=False)
    lr = torch.randint(0, 256, (3, 3, 36, 40), dtype=torch.uint8)
    upscaler = Onnx(file)
    difference = (upscaler.upscale(lr).int() - model.upscale(lr).int()).abs()
    assert difference.max() <= 1 and (difference != 0).float().mean() < 1e-3
    assert upscaler.descriptor.kind == "video" and upscaler.descriptor.size_rule == SizeRule(32, 2, "repeat")
    assert upscaler.descriptor.parameters == parameters_without_a_latent(model)


def test_the_inverse_as_a_filter_is_the_inverse():
    lr = torch.rand(2, 3, 32, 45)
    assert torch.allclose(export._filtered(lr, export.inverse_taps()), consistency.invert_down_up(lr), atol=1e-5)


@needs_onnx
def test_an_output_that_is_there_stays(weights, file, capsys):
    before = file.read_bytes()
    assert main(["export", str(weights), str(file)]) == 3 and "--overwrite replaces it" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_other_names_and_other_weights_are_one_line(tmp_path, capsys):
    assert main(["export", "nano", str(tmp_path / "nano.mp4")]) == 3
    assert "write a name that ends in .onnx" in capsys.readouterr().err
    assert main(["export", "nowhere", str(tmp_path / "n.onnx")]) == 3
    assert "nowhere: no such weights" in capsys.readouterr().err


def test_without_onnx_one_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EnvironmentInvalid, match="pip install onnx onnxruntime"):
        export.export("nano", tmp_path / "nano.onnx")


def test_weights_without_such_a_decoder_are_one_line(monkeypatch, tmp_path):
    pytest.importorskip("onnx")

    class Other:
        model = torch.nn.Identity()

    monkeypatch.setattr(TurboVSR, "from_pretrained", lambda *_, **__: Other())
    with pytest.raises(UserError, match="no decoder of LR frames alone"):
        export.export("other", tmp_path / "o.onnx")
