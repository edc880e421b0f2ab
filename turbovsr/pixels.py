"""Conversion between pixels, of 8 or 16 bits, and the networks' [-1, 1].

Between the two are grey levels: float32 in 0..255 whatever the pixels' bits, not yet rounded. Conversion is memory
traffic, so it takes few passes, in place: at 1280x720 the plain chain of add, mul, round, clamp and cast took longer
than a good part of the network.
"""

from __future__ import annotations

import torch
from torch import Tensor

BAND = 128  # rows that a crossfade takes at a time


def to_unit(frames: Tensor, device: torch.device, multiple: int = 1) -> Tensor:
    """uint8 or uint16 (..., H, W) -> float32 [-1, 1] on `device`, right and bottom edges repeated up to a multiple."""
    return repeat_edges(frames, multiple).to(device).float().div_(127.5 * _step(frames)).sub_(1)


def unit_of(frames: Tensor, dtype: torch.dtype) -> Tensor:
    """Frames (N, 3, H, W), pixels or floats in [-1, 1] -> [-1, 1] in `dtype`.

    Pixels are converted one frame at a time, so that only one frame is in memory a second time.
    """
    if frames.is_floating_point():
        return frames.to(dtype)
    unit = torch.empty(frames.shape, dtype=dtype, device=frames.device)
    for frame, out in zip(frames, unit):
        out.copy_(to_unit(frame, frame.device))
    return unit


def repeat_edges(frames: Tensor, multiple: int) -> Tensor:
    """Pad frames (..., H, W) up to a multiple by repeating right and bottom edges; no copy if nothing is missing."""
    for dim in (-2, -1):
        if lacking := -frames.shape[dim] % multiple:
            edge = frames.narrow(dim, frames.shape[dim] - 1, 1)
            frames = torch.cat([frames, *lacking * [edge]], dim)
    return frames


def unit_to_levels(frame: Tensor) -> Tensor:
    """[-1, 1] -> grey levels, float32; a frame of that type is changed in place."""
    return frame.float().add_(1).mul_(127.5)


def levels_of(frame: Tensor) -> Tensor:
    """uint8 or uint16 pixels -> grey levels, float32; levels are returned as they are."""
    return frame.float() if frame.dtype != torch.uint16 else frame.float().div_(_step(frame))


def store(levels: Tensor, out: Tensor) -> None:
    """Round grey levels into a uint8 or uint16 tensor; halves go up, as in MATLAB. Overwrites `levels`."""
    step = _step(out)
    levels = (levels if step == 1 else levels.mul_(step)).add_(0.5).clamp_(0, 255 * step)
    if levels.device != out.device:
        levels = levels.to(out.dtype)  # a quarter or half of the bytes travels
    out.copy_(levels)  # the cast truncates, which is floor here


def crossfade(old: Tensor, new: Tensor, weight: float, out: Tensor) -> None:
    """(1 - weight) * old + weight * new, uint8 or uint16 all three; `out` may be one of the others."""
    if weight == 0:
        out.copy_(old)
        return
    for colours in zip(old, new, out):  # in bands: three whole frames of 7680x4320 take 1.2 GB in float32
        for one, other, place in zip(*(colour.split(BAND) for colour in torch.atleast_1d(*colours))):
            store(torch.lerp(levels_of(one), levels_of(other), weight), place)


def _step(pixels: Tensor) -> int:
    """Pixel values to a level: 1 for uint8; 257 for uint16, as 255 * 257 = 65535."""
    return 257 if pixels.dtype == torch.uint16 else 1
