import dataclasses

import pytest
import torch

from frames.bicubic import bicubic
from tests.turbovsr.conftest import TINY, tiny_model
from turbovsr.consistency import add_margins, consistent_base, downsample, fill_margins, with_margins
from turbovsr.rearrange import frames_to_batch, pixel_shuffle, pixel_unshuffle
from turbovsr.upsampling import bicubic_upsample


@pytest.mark.parametrize("size", [(2, 3), (7, 5), (24, 40)])
def test_reducing_cells_is_bicubic_borders_included(size):
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
    cells = torch.randn(1, 48, 5, 7)
    room, inner = with_margins(5, 7, cells)
    inner.copy_(cells)
    fill_margins(room)
    assert torch.equal(room, add_margins(cells))


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.bfloat16, 4e-3)])
def test_a_consistent_decoder_gives_the_lr_frames_back(dtype, tolerance):
    lr, latent = torch.rand(1, 3, 9, 16, 24) * 2 - 1, torch.randn(1, 32, 2, 2, 3)
    for consistent in (True, False):
        decoder = tiny_model(dataclasses.replace(TINY, consistent=consistent)).decoder.to(dtype)
        with torch.inference_mode():
            sr = torch.stack(list(decoder.frames(lr, latent.to(dtype))))
        off = (bicubic(sr, (16, 24)) - frames_to_batch(lr)).abs().max()
        assert (off < tolerance) == consistent
