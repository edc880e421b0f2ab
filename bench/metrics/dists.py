"""DISTS (Ding et al., TPAMI 2020): structure and texture similarity of VGG-16 features, at full resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from bench.metrics.backbones import convolutions, dists_weights, weights_hash
from bench.metrics.base import Kind, check_pair
from bench.metrics.features import Vgg16, chunks, full_precision, positions, to_input

_CHANNELS = [3, 64, 128, 256, 512, 512]
_MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
_STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
_C = 1e-6


@dataclass(frozen=True)
class Features:
    """Features of a GT frame: each level's tables (positions, C), band after band, and their sums."""

    tables: list[torch.Tensor]
    sums: list[torch.Tensor]  # (2, C) a level: of y and of y^2


class Dists:
    """Full-frame DISTS without the optional resize to 256. Level 0 is the frame itself, 1 to 5 are VGG-16's stages.

    Only means, variances and covariances over all positions are compared, so bands are reduced to sums at once.
    """

    kind = Kind("DISTS", "", "lower", 4)

    def __init__(self, device: str) -> None:
        self.device = device
        window = torch.from_numpy(np.hanning(5)[1:-1]).float()
        self._window = (window[:, None] * window / (window.sum() ** 2)).to(device)
        self.net = Vgg16(device, self._l2_pool)
        alpha, beta = dists_weights()
        weights = weights_hash([*(t for pair in convolutions("vgg") for t in pair), alpha, beta])
        self.signature = f"dists|vgg16|{weights}|rgb|uint8|full-size|mean-frames,clips|v1"
        total = alpha.sum() + beta.sum()
        self.alpha = torch.split((alpha / total).flatten().double().to(device), _CHANNELS)
        self.beta = torch.split((beta / total).flatten().double().to(device), _CHANNELS)

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """Distance >= 0 of two uint8 (H, W, 3) RGB frames of at least 32x32."""
        check_pair(sr, gt, minimum=32)
        with torch.inference_mode(), full_precision(self.device):
            sums = self._empty(5)
            for level, (x, y) in self._levels(sr, gt):
                for a, b in chunks(positions(x), positions(y)):
                    sums[level][:3] += _sums(a, b)
                    sums[level][3:] += _sums(b)
            return self._distance(sums, gt.shape[:2])

    def prepared_bytes(self, gt: np.ndarray) -> int:
        """Memory that `prepare` would keep for this frame."""
        return int(4 * (3 + self.net.floats_per_pixel) * gt.shape[0] * gt.shape[1])

    def prepare(self, gt: np.ndarray) -> Features:
        """The features of a GT frame, uint8 (H, W, 3), that `compare` needs."""
        check_pair(gt, gt, minimum=32)
        with torch.inference_mode(), full_precision(self.device):
            features = Features([], self._empty(2))
            for level, (y,) in self._levels(gt):
                features.tables.append(positions(y))
                for (b,) in chunks(features.tables[-1]):
                    features.sums[level].add_(_sums(b))
            return features

    def compare(self, sr: np.ndarray, features: Features) -> float:
        """The same number as `score(sr, gt)` with `features = prepare(gt)`; the frames have one size."""
        with torch.inference_mode(), full_precision(self.device):
            sums = self._empty(3)
            for (level, (x,)), y in zip(self._levels(sr), features.tables, strict=True):
                for a, b in chunks(positions(x), y):
                    sums[level] += _sums(a, b)
            both = [torch.cat(pair) for pair in zip(sums, features.sums)]
            return self._distance(both, sr.shape[:2])

    def _levels(self, *frames: np.ndarray):
        """(level, features of the same rows of each frame), level 0 whole and in double precision (3 channels)."""
        inputs = [to_input(frame, self.device).div_(255) for frame in frames]
        yield 0, [x.double() for x in inputs]
        inputs = [(x - _MEAN.to(self.device)) / _STD.to(self.device) for x in inputs]
        for stage, features in self.net.bands(*inputs):
            yield stage + 1, features

    def _empty(self, rows: int) -> list[torch.Tensor]:
        return [torch.zeros(rows, channels, dtype=torch.float64, device=self.device) for channels in _CHANNELS]

    def _l2_pool(self, band: torch.Tensor, above: torch.Tensor | None) -> torch.Tensor:
        """The root of a Hann-weighted mean of squares over 3x3, stride 2, zeros around the frame."""
        top = band.new_zeros(band[:, :, :1].shape) if above is None else above
        bottom = band.new_zeros((*band.shape[:2], band.shape[2] % 2, band.shape[3]))
        squares = torch.cat([top, band, bottom], 2).square_().contiguous(memory_format=torch.channels_last)
        kernel = self._window.expand(band.shape[1], 1, 3, 3)
        return F.conv2d(squares, kernel, stride=2, padding=(0, 1), groups=band.shape[1]).add_(1e-12).sqrt_()

    def _distance(self, sums: list[torch.Tensor], size: tuple[int, int]) -> float:
        """One minus the weighted similarities of means (alpha) and covariances (beta), equations 6 to 8 of the paper.

        Args:
            sums: (5, C) a level: over its positions, of x, x^2, xy, y, y^2.
            size: (height, width) of the frames.
        """
        (height, width), similarity = size, 0.0
        for level, (alpha, beta) in enumerate(zip(self.alpha, self.beta)):
            x, xx, xy, y, yy = sums[level] / (height * width)
            structure = (2 * x * y + _C) / (x.square() + y.square() + _C)
            texture = (2 * (xy - x * y) + _C) / ((xx - x.square()) + (yy - y.square()) + _C)
            similarity += float((alpha * structure + beta * texture).sum())
            if level:  # stage 1 has the frame's own size
                height, width = (height + 1) // 2, (width + 1) // 2
        return max(0.0, 1 - similarity)  # equal frames: rounding may leave a little less than 0


def _sums(a: torch.Tensor, b: torch.Tensor | None = None) -> torch.Tensor:
    """Column sums of a, a^2 and, given b, ab of tables (n, C), as float64 rows."""
    products = [a, a.square()] + ([] if b is None else [a * b])
    return torch.stack([product.sum(0).double() for product in products])
