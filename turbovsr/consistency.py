"""SR frames that agree with their LR frames: brought down by MATLAB's bicubic, they give them back.

With D the reduction by 4 and U the enlargement, x + U K (y - D x), where K undoes D U on the LR grid, is the frame nearest
to x in the sense of what U can add that has D(...) = y: the range-null-space decomposition of DDNM (Wang et al.,
ICLR 2023, arXiv 2212.00490) with an oblique projection. A network then has only to say what the LR frames cannot: no part of
its loss goes into colours and shapes that they already give. D and K are separable, so both cost little.

For a correction r of the enlarged frame, x = U y + r, it comes to U K (y - D r) + r: one enlargement, of another picture.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from frames.kernels import keys_cubic
from turbovsr.geometry import SCALE
from turbovsr.upsampling import bicubic_upsample

REACH = 2  # LR pixels beyond its own that an LR pixel is made of


def consistent_base(lr: Tensor, correction: Tensor) -> Tensor:
    """K (y - D r): what to enlarge so that with the correction r added it agrees with the LR frames.

    Args:
        lr: (N, 3, H, W) in [-1, 1].
        correction: (N, 48, H+4, W+4), cells as `pixel_shuffle` takes them, with their margins.
    Returns:
        (N, 3, H, W), float32.
    """
    device = "cpu" if lr.is_meta else lr.device.type  # the meta device knows no autocast
    with torch.autocast(device, enabled=False):
        return sharpen(lr.float() - downsample(correction).float())


def add_margins(cells: Tensor) -> Tensor:
    """(N, 48, H, W) -> (N, 48, H+4, W+4): the SR pixels mirrored at the edges of the frame, MATLAB's border rule."""
    for axis in (-1, -2):
        length = cells.shape[axis]
        start, end = (_turned(cells.narrow(axis, at, REACH), axis) for at in (0, length - REACH))
        cells = torch.cat([start, cells, end], dim=axis)
    return cells


def with_margins(height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Room for the cells of one frame, (1, 48, H+4, W+4), of the type of `like`, and the part of it inside the margins."""
    size = (1, 3 * SCALE**2, height + 2 * REACH, width + 2 * REACH)
    cells = torch.empty(size, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)
    return cells, cells[:, :, REACH:-REACH, REACH:-REACH]


def fill_margins(cells: Tensor) -> None:
    """Mirror what is inside the margins into them, in place."""
    for axis in (-1, -2):
        end = cells.shape[axis] - REACH
        cells.narrow(axis, 0, REACH).copy_(_turned(cells.narrow(axis, REACH, REACH), axis))
        cells.narrow(axis, end, REACH).copy_(_turned(cells.narrow(axis, end - REACH, REACH), axis))


def _turned(strip: Tensor, axis: int) -> Tensor:
    """Cells in reverse order along an axis of the frame, and the pixels within each cell, too."""
    return strip.unflatten(1, (3, SCALE, SCALE)).flip(axis, 4 + axis).flatten(1, 3)


def downsample(cells: Tensor) -> Tensor:
    """D: cells of SR frames with their margins, (N, 48, H+4, W+4) -> LR frames (N, 3, H, W)."""
    across, down = _reduction(cells.device, cells.dtype)
    return F.conv2d(F.conv2d(cells, across), down)


def sharpen(lr: Tensor) -> Tensor:
    """K, the inverse of D U: (N, 3, H, W) -> the same. A dense matrix along each axis: the frames are small."""
    rows, columns = (_sharpening(length, lr.device) for length in lr.shape[-2:])
    return rows @ (lr @ columns.T)


def reduction_taps() -> Tensor:
    """(5, 4) float64: the share of each SR pixel of the LR pixels at -2..2 in the LR pixel in the middle; sums to 1."""
    places = np.arange(-REACH * SCALE, (REACH + 1) * SCALE) - (SCALE - 1) / 2
    taps = torch.from_numpy(keys_cubic(places / SCALE))
    return (taps / taps.sum()).view(2 * REACH + 1, SCALE)


@cache
def _reduction(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Kernels over cells: across, (12, 48, 1, 5), to channels (colour, row); then down, (3, 12, 5, 1)."""
    taps = reduction_taps().to(torch.float32)
    across = torch.zeros(3, SCALE, 3, SCALE, SCALE, 1, 5)
    down = torch.zeros(3, 3, SCALE, 5, 1)
    for colour in range(3):
        down[colour, colour, :, :, 0] = taps.T
        for row in range(SCALE):
            across[colour, row, colour, row, :, 0] = taps.T
    with torch.inference_mode(False):  # kept tensors must be good for training too
        return tuple(
            kernel.clone().to(device, dtype, memory_format=torch.channels_last)
            for kernel in (across.flatten(2, 4).flatten(0, 1), down.flatten(1, 2))
        )


@lru_cache(maxsize=32)
def _sharpening(length: int, device: torch.device) -> Tensor:
    """(length, length): the inverse of D U along an axis of so many LR pixels, found from what D U does to unit pulses."""
    with torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", enabled=False):
        pulses = torch.eye(length)[:, None, None].repeat(1, 3, REACH, 1)  # constant down the other axis
        passed = downsample(add_margins(bicubic_upsample(pulses)))[:, 0, 0]
        return torch.linalg.inv(passed.double().T).float().to(device)
