import dataclasses

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from frames.bicubic import bicubic
from tests.turbovsr.conftest import TINY, tiny_model
from turbovsr import consistency
from turbovsr.consistency import add_margins, consistent_base, downsample, empty_with_margins, fill_margins
from turbovsr.rearrange import frames_to_batch, pixel_shuffle, pixel_unshuffle
from turbovsr.upsampling import bicubic_upsample, upsampling_taps


class LargestTensor(TorchDispatchMode):
    """Watches how large the tensors get that operations return."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, torch.Tensor):
                self.numbers = max(self.numbers, tensor.untyped_storage().nbytes() // tensor.element_size())
        return result


@pytest.mark.parametrize("size", [(2, 3), (7, 5), (24, 40)])
def test_downsampling_is_bicubic_borders_included(size):
    frames = torch.rand(2, 3, 4 * size[0], 4 * size[1]) * 2 - 1
    reduced = downsample(add_margins(pixel_unshuffle(frames)))
    assert torch.allclose(reduced, bicubic(frames, size), atol=1e-6)


@pytest.mark.parametrize("size", [(2, 3), (7, 5), (24, 40)])
def test_whatever_the_correction_the_frame_brought_down_is_the_lr_frame(size):
    lr = torch.rand(2, 3, *size) * 2 - 1
    correction = torch.randn(2, 48, *size)
    sr = pixel_shuffle(bicubic_upsample(consistent_base(lr, add_margins(correction))) + correction)
    assert torch.allclose(bicubic(sr, size), lr, atol=1e-5)


def test_what_the_lr_frame_cannot_know_of_is_left_alone():
    """A correction that D does not see is added as it is: the projection takes out nothing else."""
    correction = torch.randn(1, 48, 6, 8)
    base = consistent_base(torch.zeros(1, 3, 6, 8), add_margins(correction))
    unseen = correction + bicubic_upsample(base)
    assert unseen.abs().mean() > 0.5
    assert consistent_base(torch.zeros(1, 3, 6, 8), add_margins(unseen)).abs().max() < 1e-5


def test_margins_in_place_are_margins():
    x = torch.randn(1, 48, 5, 7)
    room, inner = empty_with_margins(5, 7, x)
    inner.copy_(x)
    fill_margins(room)
    assert torch.equal(room, add_margins(x))


@pytest.mark.parametrize("length", [1, 8, 511, 512, 513, 1000, 2000])
def test_segments_cover_a_side_once_and_none_is_longer_than_one_matrix(length):
    cut = list(consistency.segments(length))
    covered = [range(length)[s.outer][s.inner] for s in cut]
    assert [place for part in covered for place in part] == list(range(length))
    assert max(s.length for s in cut) <= consistency.LONGEST_DENSE and (len(cut) == 1) == (length <= 512)


def test_segments_of_a_long_side_join_to_the_inverse_of_the_whole_side():
    """Against the dense inverse in float64, made of the taps of D and U alone."""
    length = 1000
    up, down = upsampling_taps(), consistency.downsampling_taps()  # (4, 5), (5, 4)
    local = torch.zeros(9, dtype=torch.float64)  # D U at -4..4
    for i in range(5):
        for j in range(5):
            local[i + j] += down[i] @ up[:, j]
    down_up = torch.zeros(length, length, dtype=torch.float64)
    for reach in range(-4, 5):
        places = torch.arange(length) + reach
        places = torch.where(places < 0, -1 - places, torch.where(places >= length, 2 * length - 1 - places, places))
        down_up[torch.arange(length), places] += local[reach + 4]
    lr = torch.rand(1, 3, length, 1).expand(-1, -1, -1, 8) * 2 - 1  # constant across: K acts along one side alone
    expected = torch.linalg.solve(down_up, lr.double())
    assert torch.allclose(consistency.invert_down_up(lr).double(), expected, atol=2e-6)
    across = consistency.invert_down_up(lr.transpose(2, 3)).transpose(2, 3)
    assert torch.allclose(across.double(), expected, atol=2e-6)


def test_memory_is_linear_in_the_longer_side():
    consistency._inverse.cache_clear()
    largest = {}
    for length in (1024, 4096):
        with LargestTensor() as seen:
            consistent_base(torch.zeros(1, 3, 8, length), torch.zeros(1, 48, 12, length + 4))
        largest[length] = seen.numbers
    pulses = 48 * 6 * (consistency.LONGEST_DENSE + 4) * consistency.PULSES_AT_ONCE  # with their margins, enlarged
    assert largest[1024] <= pulses and largest[4096] <= pulses


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.bfloat16, 4e-3)])
def test_a_consistent_decoder_gives_the_lr_frames_back(dtype, tolerance):
    lr, latent = torch.rand(1, 3, 9, 16, 24) * 2 - 1, torch.randn(1, 32, 2, 2, 3)
    for consistent in (True, False):
        decoder = tiny_model(dataclasses.replace(TINY, consistent=consistent)).decoder.to(dtype)
        with torch.inference_mode():
            sr = torch.stack(list(decoder.frames(lr, latent.to(dtype))))
        off = (bicubic(sr, (16, 24)) - frames_to_batch(lr)).abs().max()
        assert (off < tolerance) == consistent
