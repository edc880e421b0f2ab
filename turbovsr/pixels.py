"""Conversion between 8-bit pixels and the networks' [-1, 1].

Between the two are "levels": float32 in 0..255, not yet rounded. Conversion is memory traffic, so it takes few passes,
in place: at 1280x720 the plain chain of add, mul, round, clamp and cast took longer than a good part of the network.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def to_unit(frames: Tensor, device: torch.device, multiple: int) -> Tensor:
    """uint8 (T, 3, H, W) -> float32 [-1, 1] on `device`, right and bottom edges repeated up to a multiple."""
    frames = frames.to(device).float().div_(127.5).sub_(1)
    bottom, right = (-n % multiple for n in frames.shape[-2:])
    return F.pad(frames, (0, right, 0, bottom), mode="replicate") if bottom or right else frames


def to_levels(frame: Tensor) -> Tensor:
    """[-1, 1] -> levels, float32; a frame of that type is changed in place."""
    return frame.float().add_(1).mul_(127.5)


def store(levels: Tensor, out: Tensor) -> None:
    """Round levels into a uint8 tensor of their shape; halves go up, as in MATLAB. `levels` is scratch afterwards."""
    levels = levels.add_(0.5).clamp_(0, 255)
    if levels.device != out.device:
        levels = levels.to(torch.uint8)  # a quarter of the bytes travels
    out.copy_(levels)  # the cast truncates, which is floor here


def crossfade(old: Tensor, new: Tensor, weight: float, out: Tensor) -> None:
    """(1 - weight) * old + weight * new, uint8 all three; `out` may be one of the others."""
    if weight == 0:
        out.copy_(old)
        return
    for one, other, place in zip(old, new, out):  # by colour: a whole frame of 7680x4320 takes 1.2 GB in float32
        store(torch.lerp(one.float(), other.float(), weight), place)
