"""Textures: energies of the detail by band and place, the part of the latent that LR frames predict best.

The sign of missing detail can hardly be predicted from LR frames, so its conditional mean is near zero; its amount can,
from the content and from the band just below the LR frames' Nyquist frequency. Textures are the logarithms of the
energies of horizontal, vertical and diagonal Haar bands, in two octaves, in each quarter of a latent cell. See
docs/decisions/turbovsr-latent.md.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from turbovsr.geometry import CELL, SCALE, TEMPORAL_COMPRESSION
from turbovsr.rearrange import pixel_unshuffle, space_to_depth

BANDS = 6
QUARTERS = 2  # quarters along the edge of a latent cell
CHANNELS = BANDS * QUARTERS**2
QUARTER_EDGE = CELL // QUARTERS  # LR pixels
FLOOR = 1e-5  # added to the energies, of luma in [-1, 1]: the square of 0.4 grey levels of 8 bits
MIDDLE, SPREAD = -8.0, 2.5  # of the logarithms of detail, so that the channels are of about unit size
LR_MIDDLE = -10.5  # the same of LR frames, whose finest octaves hold more


def textures(detail: Tensor, batch: int) -> Tensor:
    """Textures of HR detail, pixel-unshuffled, (B*(1+8k), 48, 8h, 8w) -> (B, 24, 1+k, h, w), causal.

    A latent frame after the first has the mean energies of its eight frames.
    """
    energy = F.avg_pool2d(band_energies(detail), QUARTER_EDGE).unflatten(0, (batch, -1))  # (B, 1+8k, 6, 2h, 2w)
    energy = torch.cat([energy[:, :1], energy[:, 1:].unflatten(1, (-1, TEMPORAL_COMPRESSION)).mean(dim=2)], dim=1)
    return space_to_depth(_logarithms(energy.flatten(0, 1), MIDDLE), QUARTERS).unflatten(0, (batch, -1)).transpose(1, 2)


def lr_textures(lr: Tensor) -> Tensor:
    """Textures of the two finest octaves of LR frames, (N, 3, 8h, 8w) -> (N, 24, h, w)."""
    # One frame at a time on a CPU: the colours of all take several times the memory of their luma.
    parts = [lr] if lr.is_cuda else lr.split(1)
    luma = torch.cat([_luma(pixel_unshuffle(part)) for part in parts])
    return space_to_depth(_logarithms(_band_energies(luma), LR_MIDDLE), QUARTERS)


def band_energies(pixels: Tensor) -> Tensor:
    """Energies of the Haar bands of each 4x4 pixels, pixel-unshuffled (N, 48, h, w) -> (N, 6, h, w), float32.

    Finest octave first; in each the bands that vary across, downwards, and both ways. Their sum is the variance of the
    luma (the mean of the colours) of the 4x4 pixels.
    """
    return _band_energies(_luma(pixels))


def _luma(pixels: Tensor) -> Tensor:
    """(N, 48, h, w) -> (N, 16, h, w), float32."""
    return pixels.float().unflatten(1, (3, SCALE**2)).mean(dim=1)


def _band_energies(luma: Tensor) -> Tensor:
    transform, membership = _haar(luma.device)
    device = "cpu" if luma.is_meta else luma.device.type  # the meta device knows no autocast
    with torch.autocast(device, enabled=False):  # bfloat16 would round luma, and the fine bands are small differences
        return F.conv2d(F.conv2d(luma, transform).square(), membership)


def _logarithms(energy: Tensor, middle: float) -> Tensor:
    return ((energy + FLOOR).log() - middle) / SPREAD


@cache
def _haar(device: torch.device) -> tuple[Tensor, Tensor]:
    """Kernels of the orthonormal transform of 4x4 pixels, (15, 16, 1, 1), and of the sums of bands, (6, 15, 1, 1)."""
    same, change = torch.tensor([1.0, 1.0]) / 2, torch.tensor([1.0, -1.0]) / 2
    rows, bands = [], []
    for kind, (down, across) in enumerate(((same, change), (change, same), (change, change))):
        square = down[:, None] * across
        for top in (0, 2):
            for left in (0, 2):
                fine = torch.zeros(SCALE, SCALE)
                fine[top : top + 2, left : left + 2] = 2 * square
                rows.append(fine)
                bands.append(kind)
        rows.append(square.repeat_interleave(2, 0).repeat_interleave(2, 1))
        bands.append(3 + kind)
    membership = torch.zeros(BANDS, len(rows))
    membership[bands, range(len(rows))] = 1 / SCALE**2
    kernels = torch.stack(rows).flatten(1), membership
    with torch.inference_mode(False):  # kept tensors must be good for training too
        transform, membership = (kernel[..., None, None].clone().to(device) for kernel in kernels)
    return transform, membership
