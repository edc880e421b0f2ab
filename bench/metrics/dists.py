"""DISTS (Ding et al., TPAMI 2020): structure and texture similarity of VGG-16 features, at full resolution."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from bench.metrics.backbones import convolutions, dists_weights
from bench.metrics.base import Kind, check_pair

_BLOCKS = (2, 2, 3, 3, 3)
_CHANNELS = (3, 64, 128, 256, 512, 512)
_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
_STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
_C = 1e-6


class Dists:
    """Full-frame DISTS without the optional resize to 256; stage by stage, so that 4K fits in memory."""

    kind = Kind("DISTS", "", "lower", 4)
    signature = "dists|vgg16|rgb|uint8|full-size|mean-frames,clips|v1"

    def __init__(self, device: str) -> None:
        self.device = device
        self.convs = [(w.to(device), b.to(device)) for w, b in convolutions("vgg")]
        alpha, beta = dists_weights()
        total = alpha.sum() + beta.sum()
        self.alpha = torch.split((alpha / total).flatten().to(device), _CHANNELS)
        self.beta = torch.split((beta / total).flatten().to(device), _CHANNELS)
        window = torch.from_numpy(np.hanning(5)[1:-1]).float()
        self.window = (window[:, None] * window / (window.sum() ** 2)).to(device)

    @torch.inference_mode()
    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """Distance >= 0 of two uint8 (H, W, 3) RGB frames of at least 32x32."""
        check_pair(sr, gt, minimum=32)
        x, y = self._input(sr), self._input(gt)
        similarity = self._compare(x, y, 0)
        x, y = ((v - _MEAN.to(self.device)) / _STD.to(self.device) for v in (x, y))
        for stage in range(5):
            x, y = self._stage(x, stage), self._stage(y, stage)
            similarity += self._compare(x, y, stage + 1)
        return 1 - similarity

    def _input(self, frame: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(frame)).to(self.device)
        return tensor.permute(2, 0, 1)[None].float().div_(255)

    def _stage(self, x: torch.Tensor, stage: int) -> torch.Tensor:
        if stage:
            # L2 pooling: the root of a Hann-weighted mean of squares, stride 2.
            kernel = self.window.expand(x.shape[1], 1, 3, 3)
            x = F.conv2d(x.square(), kernel, stride=2, padding=1, groups=x.shape[1]).add_(1e-12).sqrt_()
        first = sum(_BLOCKS[:stage])
        for weight, bias in self.convs[first : first + _BLOCKS[stage]]:
            x = F.conv2d(x, weight, bias, padding=1).relu_()
        return x

    def _compare(self, x: torch.Tensor, y: torch.Tensor, level: int) -> float:
        """Weighted similarity of means (alpha) and of covariances (beta), equations 6 to 8 of the paper."""
        x, y = x.flatten(2)[0], y.flatten(2)[0]
        mean_x, mean_y = x.mean(1), y.mean(1)
        var_x, var_y = x.var(1, correction=0), y.var(1, correction=0)
        covariance = torch.stack([(a * b).mean() for a, b in zip(x, y)]) - mean_x * mean_y
        structure = (2 * mean_x * mean_y + _C) / (mean_x.square() + mean_y.square() + _C)
        texture = (2 * covariance + _C) / (var_x + var_y + _C)
        return float((self.alpha[level] * structure + self.beta[level] * texture).sum(dtype=torch.float64))


def build(device: str) -> Dists:
    return Dists(device)
