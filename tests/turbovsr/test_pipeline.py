from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from tests.turbovsr.conftest import TINY, tiny_model
from turbovsr import TurboVSR, checkpoints, precision
from turbovsr.decoder import FRAMES_ON_GPU
from turbovsr.pixels import to_unit


def clip(*shape, seed=0):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def upscaler(weights):
    return TurboVSR(weights, chunk=2)


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 3, 16, 16), (2, 3, 7, 5), (10, 3, 9, 17), (18, 3, 8, 8)])
def test_any_length_and_size_comes_out_four_times_as_large(upscaler, shape):
    sr = upscaler.upscale(clip(*shape))
    assert sr.shape == (shape[0], 3, 4 * shape[2], 4 * shape[3]) and sr.dtype == torch.uint8


@pytest.mark.parametrize("scale", [2, 3])
@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (2, 3, 7, 5)])
def test_smaller_scales_come_out_exactly(weights, scale, shape):
    upscaler = TurboVSR(weights, chunk=2, scale=scale)
    assert upscaler.upscale(clip(*shape)).shape == (shape[0], 3, scale * shape[2], scale * shape[3])
    assert upscaler.descriptor.scale == scale and f"{scale}Hx{scale}W" in str(upscaler.descriptor.size_rule)


def test_scale_1_restores_and_refuses_weights_that_would_give_the_lr_frames_back(weights, tmp_path):
    with pytest.raises(ValueError, match="at scale 1: these weights .* give those back unchanged"):
        TurboVSR(weights, scale=1)
    free = tmp_path / "free.safetensors"
    checkpoints.save(tiny_model(replace(TINY, consistent=False)), free, torch.float32, name="free", licence="none")
    lr = clip(2, 3, 7, 5)
    with pytest.raises(ValueError, match="agree with their LR frames"):
        TurboVSR(size="2b-tiny", path="turbo", scale=1)
    restored = TurboVSR(free, chunk=2, scale=1).upscale(lr)
    assert restored.shape == lr.shape and not torch.equal(restored, lr)


def test_same_seed_same_output_another_seed_another(weights):
    lr = clip(9, 3, 16, 16)
    first, again, other = (TurboVSR(weights, chunk=2, steps=2, seed=seed).upscale(lr) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_one_step_to_a_predicted_sample_does_not_depend_on_the_noise(upscaler, weights):
    lr = clip(9, 3, 16, 16)
    one, other = upscaler.upscale(lr), TurboVSR(weights, chunk=2, seed=1).upscale(lr)
    assert (one.int() - other.int()).abs().max() <= 1  # rounding: noise is added and taken away


def test_latent_can_be_left_out(upscaler, weights):
    lr = clip(1, 3, 16, 16)
    assert not torch.equal(upscaler.upscale(lr), TurboVSR(weights, use_latent=False).upscale(lr))


def test_weights_say_whether_one_step_of_their_latent_is_worth_it(weights, tmp_path):
    plain = tmp_path / "plain.safetensors"
    checkpoints.save(tiny_model(), plain, torch.float32, name="plain", licence="none", use_latent="false")
    for file, options, sampled in (
        (weights, {}, True),
        (plain, {}, False),
        (plain, {"steps": 2}, True),
        (plain, {"use_latent": True}, True),
        (weights, {"steps": 2, "use_latent": False}, False),
    ):
        model = TurboVSR(file, **options)
        assert model.use_latent is sampled
        assert ("decoded without a latent" in model.descriptor.notes) is not sampled


@pytest.mark.parametrize(("inner", "multiple"), [((0, 0), 1), ((2, 0), 2), ((0, 1), 4)])
@pytest.mark.parametrize("tile", [0, 40])
def test_without_a_latent_frames_are_padded_to_what_the_layers_take(tmp_path, inner, multiple, tile):
    file, lr = tmp_path / "plain.safetensors", clip(3, 3, 45, 99)
    config = replace(TINY, decoder_reduction=1, decoder_inner_blocks=inner, consistent=False)
    checkpoints.save(tiny_model(config), file, torch.float32, name="plain", licence="none", use_latent="false")
    upscaler = TurboVSR(file, tile=tile)
    with torch.inference_mode():
        assert upscaler._pixels(list(lr)).shape[-2:] == (45 + -45 % multiple, 99 + -99 % multiple)
    assert upscaler.descriptor.size_rule.multiple_of == multiple
    assert TurboVSR(file, use_latent=True).descriptor.size_rule.multiple_of == 8
    difference = upscaler.upscale(lr).int() - TurboVSR(file, tile=0).upscale(lr).int()
    assert difference.abs().max() <= 2


def test_a_frame_of_one_pixel_is_upscaled_by_consistent_weights_of_the_lr_size(tmp_path):
    file = tmp_path / "plain.safetensors"
    checkpoints.save(tiny_model(replace(TINY, decoder_reduction=1)), file, torch.float32, name="plain", licence="none")
    assert TurboVSR(file, use_latent=False).upscale(clip(2, 3, 1, 5)).shape == (2, 3, 4, 20)


def test_frames_of_a_stream_may_be_written_into(upscaler):
    lr = clip(20, 3, 16, 16)
    for frame, wanted in zip(upscaler.stream(lr), upscaler.upscale(lr), strict=True):
        assert torch.equal(frame, wanted)
        frame[:, :8] = 0  # a watermark, say


def test_clip_begins_as_its_first_chunk_alone(upscaler):
    lr = clip(17, 3, 16, 16)
    # A chunk knows nothing of the next one: a stream may be handed out while its end has not been read. Only the frames
    # that the next chunk shares, but for the first of them, are still to change.
    certain = 9 - upscaler.overlap + 1
    assert torch.equal(upscaler.upscale(lr)[:certain], upscaler.upscale(lr[:9])[:certain])


def test_whole_frames_and_one_tile_are_the_same(upscaler, weights):
    lr = clip(1, 3, 16, 16)
    for tile in (0, 16, "auto"):
        assert torch.equal(TurboVSR(weights, chunk=2, tile=tile).upscale(lr), upscaler.upscale(lr))


def test_stages_are_announced_in_order(upscaler):
    seen = []

    @contextmanager
    def stages(name):
        seen.append(name)
        yield

    upscaler.upscale(clip(1, 3, 8, 8), stages)
    assert seen == ["condition", "denoise", "decode"]


@pytest.mark.parametrize(
    "lr, complaint",
    [
        (torch.zeros(1, 3, 8, 8), "uint8"),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), "uint8"),
        (torch.zeros(1, 1, 8, 8, dtype=torch.uint8), "uint8"),
        (torch.zeros(0, 3, 8, 8, dtype=torch.uint8), "nothing to upscale"),
        (torch.zeros(1, 3, 0, 8, dtype=torch.uint8), "nothing to upscale"),
        ([torch.zeros(3, 8, 8, dtype=torch.uint8)], "uint8"),
    ],
)
def test_wrong_input_is_one_clear_error(upscaler, lr, complaint):
    with pytest.raises(ValueError, match=complaint):
        upscaler.upscale(lr)


@pytest.mark.parametrize("broken", ["projection", "transformer", "decoder", "encoder"])
def test_weights_that_are_not_numbers_are_an_error(weights, broken):
    upscaler = TurboVSR(weights, chunk=2)
    for value in getattr(upscaler.model, broken).parameters():
        torch.nn.init.constant_(value, torch.nan)
    with pytest.raises(ValueError, match="not finite"):
        upscaler.upscale(clip(10, 3, 8, 8))


def test_networks_compute_in_the_precision_and_the_base_in_float32(weights, monkeypatch):
    upscaler = TurboVSR(weights, precision="bfloat16")
    assert upscaler.descriptor.dtype == "bfloat16"
    model, seen = upscaler.model, {}

    def condition(lr):
        seen["condition"] = lr.dtype
        return lr.new_zeros(1, 32, 1, 1, 1)

    def sample_first(condition, noise, steps):
        seen["noise"] = noise.dtype
        return noise

    def decode_frames(lr, latent):
        seen["lr"], seen["latent"] = lr.dtype, latent.dtype
        yield lr.new_zeros(3, 32, 32)

    for stand_in in (condition, sample_first, decode_frames):
        monkeypatch.setattr(model, stand_in.__name__, stand_in)
    assert upscaler.upscale(clip(1, 3, 8, 8)).unique().tolist() == [128]
    half = torch.bfloat16
    assert seen == {"condition": half, "noise": half, "lr": torch.float32, "latent": half}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_frames_in_tiles_stay_pixels_and_give_what_their_values_give(weights, precision, monkeypatch):
    upscaler = TurboVSR(weights, chunk=2, tile=16, precision=precision)
    model, seen, lr = upscaler.model, set(), clip(12, 3, 13, 44)
    sr = upscaler.upscale(lr)

    def of_values(network, dtype):
        def called(pixels, *rest):
            seen.add(pixels.dtype)
            return network(to_unit(pixels, pixels.device).to(dtype), *rest)

        return called

    monkeypatch.setattr(model, "condition", of_values(model.condition, upscaler.dtype))
    monkeypatch.setattr(model, "decode_frames", of_values(model.decode_frames, torch.float32))
    assert torch.equal(upscaler.upscale(lr), sr) and seen == {torch.uint8}


def test_auto_precision_reports_what_it_chose(weights, monkeypatch):
    for native, chosen in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(precision, "native_bfloat16", lambda device, native=native: native)
        assert TurboVSR(weights, precision="auto").descriptor.dtype == chosen


def test_color_fix_is_applied_and_named(weights, upscaler):
    lr = clip(1, 3, 16, 16)
    for fix in ("wavelet", "adain"):
        fixed = TurboVSR(weights, color_fix=fix)
        assert fix in fixed.descriptor.notes
        assert fix in TurboVSR(weights, color_fix=fix, use_latent=False).descriptor.notes
        assert not torch.equal(fixed.upscale(lr), upscaler.upscale(lr))


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"scale": 5}, "set scale"),
        ({"steps": 3}, "power of two"),
        ({"steps": 32}, "power of two"),
        ({"steps": 1.0}, "steps must be a whole number, got 1.0"),
        ({"steps": "1"}, "steps must be a whole number, got '1'"),
        ({"steps": True}, "steps must be a whole number, got True"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"seed": 2**64}, "seed must be from"),
        ({"scale": 2.0}, "scale must be a whole number"),
        ({"precision": "int8"}, "unknown precision"),
        ({"chunk": 1}, "chunk"),
        ({"chunk": 2.5}, "chunk must be a whole number"),
        ({"chunk": "5"}, "chunk must be a whole number"),
        ({"tile": 100}, "multiple of 8"),
        ({"tile": 8}, "multiple of 8"),
        ({"tile": "small"}, "multiple of 8"),
        ({"overlap": 0}, "overlap"),
        ({"overlap": 5}, "overlap"),
        ({"overlap": 1.5}, "overlap must be a whole number"),
        ({"overlap": "3"}, "overlap must be a whole number"),
        ({"color_fix": "sepia"}, "unknown color_fix"),
        ({"use_latent": "perhaps"}, "write true, false, or null"),
        ({"compile": "no"}, "compile=no: write true or false"),
    ],
)
def test_wrong_options_are_one_clear_error(weights, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        TurboVSR(weights, **options)


def test_descriptor_tells_what_a_user_must_know(upscaler):
    descriptor = upscaler.descriptor
    assert (descriptor.scale, descriptor.kind) == (4, "video") and descriptor.dtype in ("float32", "bfloat16")
    assert descriptor.weights == "tiny.safetensors (random)" and descriptor.parameters > 0
    assert (descriptor.size_rule.fitted(13), descriptor.frame_rule.fitted(10)) == (16, 17)


def test_on_a_gpu_tiles_take_the_frames_in_turns_of_those_that_it_finishes_together(weights):
    """It finished eight and gave one, so that all tiles kept seven frames in float32 between their turns."""
    upscaler = TurboVSR(weights)
    assert upscaler._frames_at_once(33) == 1
    upscaler.device = torch.device("cuda")
    assert upscaler._frames_at_once(33) == FRAMES_ON_GPU
