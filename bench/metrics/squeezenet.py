"""SqueezeNet 1.1 for LPIPS: seven stages."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from bench.metrics.backbones import convolutions
from bench.metrics.features import Bands, channels_last

_FIRES = ((2, True), (2, True), (1, True), (1, False), (1, False), (1, False))
"""(fire modules, 3x3 stride-2 max pooling before them) of each stage after the first convolution."""

Conv = tuple[torch.Tensor, torch.Tensor]


class SqueezeNet:
    """Stages of 64, 128, 256, 384, 384, 512, 512 channels; small enough to be computed whole."""

    floats_per_pixel = 64 / 4 + 128 / 16 + 256 / 64 + (384 + 384 + 512 + 512) / 256

    def __init__(self, device: str) -> None:
        self.convs = channels_last(convolutions("squeeze"), device)

    def bands(self, *frames: torch.Tensor) -> Bands:
        """All stages of float32 (1, 3, H, W) frames of one size, normalised as the metric asks."""
        features = [F.conv2d(x, *self.convs[0], stride=2).relu_() for x in frames]
        yield 0, features
        fires = [self.convs[first : first + 3] for first in range(1, len(self.convs), 3)]
        for stage, (count, pooled) in enumerate(_FIRES, 1):
            if pooled:
                features = [F.max_pool2d(x, 3, 2, ceil_mode=True) for x in features]
            for _ in range(count):
                fire = fires.pop(0)
                features = [_fire(x, *fire) for x in features]
            yield stage, features


def _fire(x: torch.Tensor, squeeze: Conv, one: Conv, three: Conv) -> torch.Tensor:
    """A fire module: few channels by 1x1, then many by 1x1 and by 3x3, side by side."""
    x = F.conv2d(x, *squeeze).relu_()
    both = torch.cat([F.conv2d(x, *one), F.conv2d(x, *three, padding=1)], 1)
    return both.relu_().contiguous(memory_format=torch.channels_last)
