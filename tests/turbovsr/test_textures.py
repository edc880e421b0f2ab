import math

import pytest
import torch

from turbovsr.rearrange import pixel_unshuffle
from turbovsr.textures import FLOOR, LR_MIDDLE, MIDDLE, SPREAD, band_energies, lr_textures, textures

STRIPES = {  # amplitude 1, in 4x4 pixels: the band of `band_energies` that has all of their energy
    "fine, across": (torch.tensor([1.0, -1, 1, -1]).expand(4, 4), 0),
    "fine, downwards": (torch.tensor([1.0, -1, 1, -1])[:, None].expand(4, 4), 1),
    "fine, a chessboard": (torch.tensor([1.0, -1, 1, -1])[:, None] * torch.tensor([1.0, -1, 1, -1]), 2),
    "coarse, across": (torch.tensor([1.0, 1, -1, -1]).expand(4, 4), 3),
    "coarse, downwards": (torch.tensor([1.0, 1, -1, -1])[:, None].expand(4, 4), 4),
}


@pytest.mark.parametrize("pattern, band", STRIPES.values(), ids=STRIPES)
def test_each_pattern_has_its_energy_in_its_band(pattern, band):
    frames = 0.3 + 0.1 * pattern.repeat(4, 6).expand(1, 3, 16, 24)
    energy = band_energies(pixel_unshuffle(frames))
    assert energy.shape == (1, 6, 4, 6)
    expected = torch.zeros(6)
    expected[band] = 0.01
    assert torch.allclose(energy, expected.view(1, 6, 1, 1).expand_as(energy), atol=1e-7)


def test_the_bands_hold_the_variance_of_luma_in_each_four_by_four_pixels():
    frames = torch.rand(2, 3, 16, 8)
    luma = frames.mean(dim=1).unflatten(2, (-1, 4)).unflatten(1, (-1, 4)).transpose(2, 3).flatten(3)
    energy = band_energies(pixel_unshuffle(frames)).sum(dim=1)
    assert torch.allclose(energy, luma.var(dim=-1, correction=0), atol=1e-6)


def test_textures_lie_where_the_detail_is_and_are_the_mean_over_a_group_of_frames():
    detail = torch.zeros(9, 48, 16, 8)
    chessboard = pixel_unshuffle(STRIPES["fine, a chessboard"][0].expand(1, 3, 4, 4)).squeeze()
    detail[1:5, :, 4:8, :4] = (
        0.1 * chessboard[:, None, None]
    )  # half the frames, one place: below left in the upper cell
    latent = textures(detail, 1)
    assert latent.shape == (1, 24, 2, 2, 1)
    nothing, something = ((math.log(energy + FLOOR) - MIDDLE) / SPREAD for energy in (0, 0.01 / 2))
    expected = torch.full((24, 2, 2, 1), nothing)
    expected[2 * 6 + 2, 1, 0, 0] = something  # third place of four, third band of six
    assert torch.allclose(latent[0], expected, atol=1e-4)


def test_textures_are_causal():
    detail = 0.1 * torch.randn(17, 48, 8, 8)
    assert torch.allclose(textures(detail[:9], 1), textures(detail, 1)[:, :, :2], atol=1e-6)


def test_textures_of_lr_frames_are_on_the_same_grid():
    frames = STRIPES["fine, across"][0].repeat(4, 6).expand(2, 3, 16, 24)
    found = lr_textures(0.1 * frames)
    assert found.shape == (2, 24, 2, 3)
    assert torch.allclose(found[:, ::6], torch.tensor((math.log(0.01 + FLOOR) - LR_MIDDLE) / SPREAD), atol=1e-4)


def test_textures_of_a_training_in_bfloat16_are_those_of_float32():
    lr = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 0.05 + 0.9
    expected = lr_textures(lr)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(lr_textures(lr), expected)
