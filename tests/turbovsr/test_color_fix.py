import pytest
import torch

from frames.bicubic import bicubic
from turbovsr.color_fix import COLOR_FIXES, adain, coarse_band, wavelet


def scene():
    """LR levels, and an SR picture of the same with detail that averages out over each LR pixel."""
    generator = torch.Generator().manual_seed(0)
    lr = 60 + 130 * torch.rand(3, 24, 32, generator=generator)
    detail = 20 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(48, 64)
    return lr, lr.repeat_interleave(4, 1).repeat_interleave(4, 2) + detail


@pytest.mark.parametrize("fix", ["none", "wavelet", "adain"])
def test_right_colours_stay(fix):
    lr, sr = scene()
    fixed = sr.clone()
    COLOR_FIXES[fix](fixed, lr)
    assert (fixed - sr).abs().max() < 1e-3


@pytest.mark.parametrize("fix", [wavelet, adain])
def test_a_colour_cast_is_removed_and_detail_stays(fix):
    lr, sr = scene()
    fixed = sr + torch.tensor([12.0, -7.0, 3.0]).view(3, 1, 1)
    fix(fixed, lr)
    assert (fixed - sr).abs().max() < 1e-3


def test_adain_brings_contrast_back():
    lr, sr = scene()
    fixed = 0.8 * sr + 30
    adain(fixed, lr)
    assert (fixed - sr).abs().max() < 1e-2


def test_wavelet_mends_a_blotch():
    lr, sr = scene()
    blotch = bicubic(30 * torch.rand(1, 3, 3, 4, generator=torch.Generator().manual_seed(1)), (96, 128))[0]
    fixed = sr + blotch
    wavelet(fixed, lr)
    assert (fixed - sr).abs().mean() < 0.2 * blotch.abs().mean()


def test_a_flat_frame_does_not_divide_by_zero():
    lr, sr = torch.full((3, 8, 8), 100.0), torch.full((3, 32, 32), 90.0)
    adain(sr, lr)
    assert torch.allclose(sr, torch.tensor(100.0))


def test_coarse_band_keeps_what_is_constant():
    assert torch.allclose(coarse_band(torch.full((3, 1, 1), 7.0)), torch.tensor(7.0))
