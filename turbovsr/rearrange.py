"""Rearranging tensors: time to batch, space to channels, and back.

`depth_to_space` orders channels (row, column, channel), `pixel_shuffle` as torch does (channel, row, column). With
channels innermost in memory the first moves whole runs of numbers, which is several times faster on a CPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from turbovsr.geometry import SCALE


def frames_to_batch(clip: Tensor) -> Tensor:
    """(B, C, T, H, W) -> (B*T, C, H, W)."""
    return clip.transpose(1, 2).flatten(0, 1)


def batch_to_frames(frames: Tensor, batch: int) -> Tensor:
    """(B*T, C, H, W) -> (B, C, T, H, W), the inverse of `frames_to_batch`."""
    return frames.unflatten(0, (batch, -1)).transpose(1, 2)


def each_frame(parts: Iterable[Tensor]) -> Iterator[Tensor]:
    """Yield the frames (C, H, W) of parts (N, C, H, W) in order; a part is freed with its last frame."""
    for part in parts:
        frames = list(part.unbind())
        del part
        while frames:
            yield frames.pop(0)


def depth_to_space(x: Tensor, factor: int) -> Tensor:
    """(N, factor*factor*C, H, W) -> (N, C, factor*H, factor*W), channels innermost in memory."""
    x = x.permute(0, 2, 3, 1).unflatten(-1, (factor, factor, -1))  # (N, H, W, i, j, C)
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)


def add_depth_to_space(x: Tensor, deep: Tensor, factor: int) -> Tensor:
    """x + depth_to_space(deep, factor), (N, C, factor*H, factor*W), without a copy of `deep`."""
    cells = deep.permute(0, 2, 3, 1).unflatten(-1, (factor, factor, -1)).transpose(2, 3)  # (N, H, i, W, j, C)
    places = x.permute(0, 2, 3, 1).unflatten(2, (-1, factor)).unflatten(1, (-1, factor))
    return (places + cells).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)


def space_to_depth(x: Tensor, factor: int) -> Tensor:
    """(N, C, factor*H, factor*W) -> (N, factor*factor*C, H, W), the inverse of `depth_to_space`."""
    x = x.permute(0, 2, 3, 1).unflatten(2, (-1, factor)).unflatten(1, (-1, factor))  # (N, H, i, W, j, C)
    return x.transpose(2, 3).flatten(3).permute(0, 3, 1, 2)


def pixel_shuffle(x: Tensor) -> Tensor:
    """(N, 48, H, W), channels (colour, row, column) of the HR pixels in one LR pixel -> (N, 3, 4H, 4W)."""
    count, _, height, width = x.shape
    x = x.permute(0, 2, 3, 1).unflatten(-1, (3, SCALE, SCALE))  # (N, H, W, c, i, j)
    return x.permute(0, 3, 1, 4, 2, 5).reshape(count, 3, SCALE * height, SCALE * width)


def pixel_shuffle_into(x: Tensor, frame: Tensor) -> None:
    """Write the `pixel_shuffle` of (1, 48, H, W) into `frame`, (3, 4H, 4W), both float32.

    With channels innermost, the four SR pixels of a row in one LR pixel lie side by side in both: they move as one
    number of 16 bytes, which takes a third of the time.
    """
    height, width = x.shape[-2:]
    pixels = x.contiguous(memory_format=torch.channels_last)[0].permute(1, 2, 0)  # (H, W, 48)
    fours = pixels.view(torch.complex128).unflatten(-1, (3, SCALE))  # (H, W, c, i)
    frame.view(torch.complex128).view(3, height, SCALE, width).copy_(fours.permute(2, 0, 3, 1))


def pixel_unshuffle(frames: Tensor) -> Tensor:
    """(N, 3, 4H, 4W) -> (N, 48, H, W), the inverse of `pixel_shuffle`, channels innermost in memory."""
    x = frames.unflatten(3, (-1, SCALE)).unflatten(2, (-1, SCALE))  # (N, c, H, i, W, j)
    return x.permute(0, 2, 4, 1, 3, 5).flatten(3).permute(0, 3, 1, 2)
