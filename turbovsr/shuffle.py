"""Space to channels and back, with the channels of one place innermost: (row, column, channel).

`pixel_shuffle` orders channels (channel, row, column), so that with channels innermost in memory it moves single numbers.
In this order whole runs of channels move, which is several times faster on a CPU.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from frames.bicubic import symmetric_pad
from frames.kernels import keys_cubic

SCALE = 4  # of the model: SR pixels along the edge of an LR pixel


def grow(x: Tensor, factor: int) -> Tensor:
    """(N, factor*factor*C, H, W) -> (N, C, factor*H, factor*W), channels innermost in memory."""
    x = x.permute(0, 2, 3, 1).unflatten(-1, (factor, factor, -1))  # (N, H, W, i, j, C)
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)


def shrink(x: Tensor, factor: int) -> Tensor:
    """The inverse of `grow`: (N, C, factor*H, factor*W) -> (N, factor*factor*C, H, W)."""
    x = x.permute(0, 2, 3, 1).unflatten(2, (-1, factor)).unflatten(1, (-1, factor))  # (N, H, i, W, j, C)
    return x.transpose(2, 3).flatten(3).permute(0, 3, 1, 2)


def to_pixels(cells: Tensor) -> Tensor:
    """(N, 48, H, W), channels as (colour, row, column) of the SR pixels in one LR pixel -> (N, 3, 4H, 4W)."""
    count, _, height, width = cells.shape
    x = cells.permute(0, 2, 3, 1).unflatten(-1, (3, SCALE, SCALE))  # (N, H, W, c, i, j)
    return x.permute(0, 3, 1, 4, 2, 5).reshape(count, 3, SCALE * height, SCALE * width)


def put_pixels(cells: Tensor, frame: Tensor) -> None:
    """`to_pixels` of one frame's cells (1, 48, H, W) into `frame`, (3, 4H, 4W)."""
    height, width = cells.shape[-2:]
    pixels = cells[0].permute(1, 2, 0).unflatten(-1, (3, SCALE, SCALE)).permute(2, 0, 3, 1, 4)
    frame.view(3, height, SCALE, width, SCALE).copy_(pixels)


def to_cells(frames: Tensor) -> Tensor:
    """The inverse of `to_pixels`: (N, 3, 4H, 4W) -> (N, 48, H, W), channels innermost in memory."""
    x = frames.unflatten(3, (-1, SCALE)).unflatten(2, (-1, SCALE))  # (N, c, H, i, W, j)
    return x.permute(0, 2, 4, 1, 3, 5).flatten(3).permute(0, 3, 1, 2)


def bicubic_cells(lr: Tensor, mirrored: bool = False) -> Tensor:
    """MATLAB's bicubic enlargement by 4 as one convolution: (N, 3, H, W) -> (N, 48, H, W) for `to_pixels`, in float32.

    Mirroring the frame by two pixels beyond its edges, the edge pixel repeated, is MATLAB's border rule; with `mirrored`
    the caller has done so.
    """
    with torch.autocast("cuda" if lr.is_cuda else "cpu", enabled=False):
        padded = lr.float() if mirrored else symmetric_pad(lr.float(), 2)
        return F.conv2d(padded.contiguous(memory_format=torch.channels_last), _bicubic_taps(lr.device))


def enlargement_taps() -> Tensor:
    """(4, 5) float64: what each of the four SR pixels along an LR pixel takes from the LR pixels at -2..2."""
    centres = (np.arange(SCALE) + 0.5) / SCALE - 0.5
    return torch.from_numpy(keys_cubic(centres[:, None] - np.arange(-2, 3)))


@cache
def _bicubic_taps(device: torch.device) -> Tensor:
    """(48, 3, 5, 5): the kernel sampled at the centres of the SR pixels."""
    taps = enlargement_taps()
    kernel = torch.zeros(3, SCALE, SCALE, 3, 5, 5)
    for colour in range(3):
        kernel[colour, :, :, colour] = taps[:, None, :, None] * taps[None, :, None, :]
    with torch.inference_mode(False):  # kept tensors must be good for training too
        return kernel.flatten(0, 2).clone().to(device, memory_format=torch.channels_last)
