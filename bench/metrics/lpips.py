"""LPIPS v0.1 (Zhang et al., CVPR 2018), linear heads on AlexNet or VGG-16: lower is nearer."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from bench.metrics.backbones import convolutions, lpips_heads
from bench.metrics.base import Kind, check_pair

# (stride, padding, 3x3 stride-2 max pooling before it) of each AlexNet convolution; every ReLU output has a head.
_ALEX = ((4, 2, False), (1, 2, True), (1, 1, True), (1, 1, False), (1, 1, False))
_VGG_BLOCKS = (2, 2, 3, 3, 3)
# Inputs in [-1, 1] are shifted and scaled by these (the package's ScalingLayer).
_SHIFT = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
_SCALE = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)


class Lpips:
    """Full-frame LPIPS; features of the two frames are computed layer by layer, so that 4K fits in memory."""

    def __init__(self, net: str, device: str) -> None:
        self.net, self.device = net, device
        self.convs = [(w.to(device), b.to(device)) for w, b in convolutions(net)]
        self.heads = [head.to(device) for head in lpips_heads(net)]
        self.kind = Kind(f"LPIPS-{net}", "", "lower", 4)
        self.signature = f"lpips|{net}-v0.1|rgb|uint8|crop0|mean-frames,clips|v1"

    @torch.inference_mode()
    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """Distance >= 0 of two uint8 (H, W, 3) RGB frames of at least 32x32."""
        check_pair(sr, gt, minimum=32)
        x, y = self._input(sr), self._input(gt)
        total = 0.0
        for stage, head in enumerate(self.heads):
            x, y = self._stage(x, stage), self._stage(y, stage)
            # F.conv2d with a 1x1 head over squared differences, then the mean over positions.
            difference = (_unit(x) - _unit(y)).square_()
            total += float(F.conv2d(difference, head).mean(dtype=torch.float64))
        return total

    def _input(self, frame: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(frame)).to(self.device).permute(2, 0, 1)[None]
        shift, scale = _SHIFT.to(self.device), _SCALE.to(self.device)
        return tensor.float().div_(127.5).sub_(1).sub_(shift).div_(scale)

    def _stage(self, x: torch.Tensor, stage: int) -> torch.Tensor:
        if self.net == "alex":
            stride, padding, pool = _ALEX[stage]
            x = F.max_pool2d(x, 3, 2) if pool else x
            return F.conv2d(x, *self.convs[stage], stride=stride, padding=padding).relu_()
        x = F.max_pool2d(x, 2, 2) if stage else x
        first = sum(_VGG_BLOCKS[:stage])
        for weight, bias in self.convs[first : first + _VGG_BLOCKS[stage]]:
            x = F.conv2d(x, weight, bias, padding=1).relu_()
        return x


def _unit(x: torch.Tensor) -> torch.Tensor:
    """Features scaled to unit length over channels."""
    return x / (x.square().sum(1, keepdim=True).sqrt_() + 1e-10)


def build(net: str, device: str) -> Lpips:
    return Lpips(net, device)
