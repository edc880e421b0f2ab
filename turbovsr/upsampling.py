"""MATLAB's bicubic enlargement by 4 as one convolution, which runs inside the networks and has a gradient."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from frames.bicubic import symmetric_pad
from frames.kernels import keys_cubic
from turbovsr.geometry import SCALE

REACH = 2  # LR pixels to either side that an SR pixel is made of


def bicubic_upsample(lr: Tensor, padded: bool = False) -> Tensor:
    """Enlarge (N, 3, H, W) by 4, as channels for `pixel_shuffle`.

    Args:
        lr: frames; any range.
        padded: whether the frames come with two mirrored pixels on each side, MATLAB's border rule.
    Returns:
        (N, 48, H, W), float32.
    """
    with torch.autocast("cuda" if lr.is_cuda else "cpu", enabled=False):
        frames = lr.float() if padded else symmetric_pad(lr.float(), REACH)
        return F.conv2d(frames.contiguous(memory_format=torch.channels_last), _kernel(lr.device))


def upsampling_taps() -> Tensor:
    """Weights along one axis, (4, 5) float64: of LR pixels at -2..2 in each of the four SR pixels of an LR pixel."""
    centres = (np.arange(SCALE) + 0.5) / SCALE - 0.5
    return torch.from_numpy(keys_cubic(centres[:, None] - np.arange(-REACH, REACH + 1)))


@cache
def _kernel(device: torch.device) -> Tensor:
    """(48, 3, 5, 5): the cubic kernel sampled at the centres of the SR pixels."""
    taps = upsampling_taps()
    kernel = torch.zeros(3, SCALE, SCALE, 3, 5, 5)
    for colour in range(3):
        kernel[colour, :, :, colour] = taps[:, None, :, None] * taps[None, :, None, :]
    with torch.inference_mode(False):  # a cached inference tensor could not be used in training
        return kernel.flatten(0, 2).clone().to(device, memory_format=torch.channels_last)
