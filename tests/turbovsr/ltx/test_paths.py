"""The two paths at the tiny size of the 2B shape: same interface, each its own parts."""

import json

import pytest
import torch
from safetensors.torch import save_file

from turbovsr import TurboVSR, checkpoints
from turbovsr.ltx import presets
from turbovsr.ltx.model import LTXConfig, LTXModel


@pytest.fixture(scope="module", params=["paper", "turbo"])
def upscaler(request):
    return TurboVSR(size="2b-tiny", path=request.param, chunk=2)


def clip(frames=9, height=9, width=17):
    return torch.randint(0, 256, (frames, 3, height, width), dtype=torch.uint8)


def test_any_size_and_length_goes_through_either_path(upscaler):
    for frames in (1, 12):  # 12: a second chunk, chained by the encoder
        sr = upscaler.upscale(clip(frames))
        assert sr.shape == (frames, 3, 36, 68) and sr.float().std() > 1


def test_same_seed_same_output(upscaler):
    lr = clip()
    again = TurboVSR(size="2b-tiny", path=upscaler.model.config.path, chunk=2)
    assert torch.equal(upscaler.upscale(lr), again.upscale(lr))


def test_random_weights_are_declared(upscaler):
    described = upscaler.descriptor
    assert described.weights == "random (seed 0)" and "random weights: timed only" in described.notes
    assert described.name == f"TurboVSR 2b-tiny {upscaler.model.config.path}"


def test_each_path_has_only_the_parts_that_it_uses():
    paper, turbo = (presets.build("2b-tiny", path)[0] for path in ("paper", "turbo"))
    assert paper.decoder is None and paper.projection is None
    assert turbo.decodes_frame_by_frame and not paper.decodes_frame_by_frame
    assert not any(key.startswith("autoencoder.decoder") for key in turbo.state_dict())
    own = dict(paper.transformer.named_parameters())
    assert own.keys() == dict(turbo.transformer.named_parameters()).keys()


def test_condition_of_the_paper_path_is_the_latent_of_the_enlarged_clip():
    model, _ = presets.build("2b-tiny", "paper")
    lr = torch.full((1, 3, 9, 8, 16), 0.25)
    assert torch.allclose(model.condition(lr), model.encode(torch.full((1, 3, 9, 32, 64), 0.25)), atol=1e-4)


def test_turbo_decodes_without_a_latent_and_paper_says_that_it_cannot():
    lr = clip(1)
    assert TurboVSR(size="2b-tiny", use_latent=False).upscale(lr).shape == (1, 3, 36, 68)
    with pytest.raises(ValueError, match="paper path cannot decode without a latent"):
        TurboVSR(size="2b-tiny", path="paper", use_latent=False).upscale(lr)


def test_attention_is_local_on_the_turbo_path_unless_told_otherwise():
    windows = {
        (path, window): presets.configure("2b", path, window=window).attention_window
        for path in ("paper", "turbo")
        for window in ("auto", 0, 8)
    }
    assert windows == {
        ("paper", "auto"): None,
        ("paper", 0): None,
        ("paper", 8): 8,
        ("turbo", "auto"): 12,
        ("turbo", 0): None,
        ("turbo", 8): 8,
    }


@pytest.mark.parametrize("path", ["paper", "turbo"])
def test_a_model_of_its_own_survives_a_checkpoint(path, tmp_path):
    model, _ = presets.build("2b-tiny", path)
    file = tmp_path / "own.safetensors"
    checkpoints.save(model, file, torch.float32, name="mine", licence="none", origin="a test")
    loaded, metadata = presets.build("2b", weights=file)  # the file says its own size and path
    assert isinstance(loaded, LTXModel) and loaded.config.path == path and metadata["name"] == "mine"
    own = model.state_dict()
    assert own.keys() == loaded.state_dict().keys()
    assert all(torch.equal(value, own[key]) for key, value in loaded.state_dict().items())


@pytest.mark.parametrize(
    "name, fits, other",
    [("path", "paper", "turbo"), ("autoencoder", "0.9.0", "0.9.5"), ("window", 0, 8), ("prompt", None, "random")],
)
def test_options_that_a_checkpoint_of_its_own_contradicts_are_refused(name, fits, other, tmp_path):
    file = tmp_path / "own.safetensors"
    checkpoints.save(presets.build("2b-tiny", "paper")[0], file, torch.float32)
    assert presets.build("2b", weights=file, **{name: fits})[0].config.path == "paper"
    with pytest.raises(ValueError, match=f"leave {name}={other} out"):
        presets.build("2b", weights=file, **{name: other})


def test_a_large_checkpoint_of_its_own_is_not_even_read_on_a_cpu(tmp_path):
    file = tmp_path / "large.safetensors"
    config = json.dumps({"transformer_width": 2048})
    save_file({"weight": torch.zeros(1)}, str(file), {"format": checkpoints.FORMAT, "kind": "ltx", "config": config})
    with pytest.raises(ValueError, match="too many for a CPU"):
        presets.build("2b", weights=file)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(size="2b"), "device=cuda, or size=2b-tiny"),
        (dict(size="7b"), "unknown size 7b: choose one of nano, 2b, 2b-tiny"),
        (dict(size="2b-tiny", path="fast"), "choose one of paper, turbo"),
        (dict(size="2b-tiny", window="wide"), "window must be auto, 0"),
        (dict(size="nano", path="paper"), "no such option for size=nano: path"),
    ],
)
def test_wrong_choices_are_one_clear_error(arguments, words):
    with pytest.raises(ValueError, match=words):
        TurboVSR(**arguments)


def test_the_grid_of_2b_is_the_resolution_shift_of_ltx():
    assert LTXConfig().shift_strength == pytest.approx(7.768, abs=1e-3)
