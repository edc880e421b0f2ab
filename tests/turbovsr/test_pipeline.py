from contextlib import contextmanager

import pytest
import torch

from turbovsr import TurboVSR
from turbovsr.pipeline import chunk_ranges, to_uint8


def clip(*shape, seed=0):
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def upscaler(weights):
    return TurboVSR(weights, chunk=2)


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 3, 16, 16), (2, 3, 7, 5), (10, 3, 9, 17), (18, 3, 8, 8)])
def test_any_length_and_size_comes_out_four_times_as_large(upscaler, shape):
    sr = upscaler.upscale(clip(*shape))
    assert sr.shape == (shape[0], 3, 4 * shape[2], 4 * shape[3]) and sr.dtype == torch.uint8


def test_same_seed_same_output_another_seed_another(upscaler, weights):
    lr = clip(9, 3, 16, 16)
    assert torch.equal(upscaler.upscale(lr), upscaler.upscale(lr))
    assert not torch.equal(upscaler.upscale(lr), TurboVSR(weights, chunk=2, seed=1).upscale(lr))


def test_latent_can_be_left_out(upscaler, weights):
    lr = clip(1, 3, 16, 16)
    assert not torch.equal(upscaler.upscale(lr), TurboVSR(weights, use_latent=False).upscale(lr))


def test_clip_begins_as_its_first_chunk_alone(upscaler):
    lr = clip(17, 3, 16, 16)
    # A chunk knows nothing of the next one: a stream may be handed out while its end has not been read.
    assert torch.equal(upscaler.upscale(lr)[:9], upscaler.upscale(lr[:9]))


@pytest.mark.parametrize(
    "frames, expected", [(1, [(0, 1)]), (9, [(0, 9)]), (10, [(0, 9), (8, 10)]), (17, [(0, 9), (8, 17)])]
)
def test_chunks_overlap_by_one_frame(frames, expected):
    assert list(chunk_ranges(frames, 9)) == expected


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
    ],
)
def test_wrong_input_is_one_clear_error(upscaler, lr, complaint):
    with pytest.raises(ValueError, match=complaint):
        upscaler.upscale(lr)


def test_values_that_are_not_finite_are_an_error():
    with pytest.raises(ValueError, match="not finite"):
        to_uint8(torch.tensor([[0.0, torch.nan]]))


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"scale": 3}, "scale=4"),
        ({"steps": 3}, "power of two"),
        ({"steps": 32}, "power of two"),
        ({"precision": "int8"}, "unknown precision"),
        ({"chunk": 1}, "chunk"),
        ({"tile": 100}, "multiple of 8"),
    ],
)
def test_wrong_options_are_one_clear_error(weights, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        TurboVSR(weights, **options)


def test_descriptor_tells_what_a_user_must_know(upscaler):
    descriptor = upscaler.descriptor
    assert (descriptor.scale, descriptor.kind, descriptor.dtype) == (4, "video", "float32")
    assert descriptor.weights == "tiny.safetensors (random)" and descriptor.parameters > 0
