"""LPIPS v0.1 (Zhang et al., CVPR 2018), linear heads on AlexNet, VGG-16 or SqueezeNet: lower is nearer."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from bench.metrics.backbones import convolutions, lpips_heads, weights_hash
from bench.metrics.base import Kind, check_pair
from bench.metrics.features import AlexNet, Vgg16, chunks, full_precision, positions, to_input
from bench.metrics.squeezenet import SqueezeNet

# Inputs in [-1, 1] are shifted and scaled by these (the package's ScalingLayer).
_SHIFT = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
_SCALE = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)

Features = list[tuple[int, torch.Tensor]]
"""(stage, unit features (positions, C)) of a frame, band after band."""


class Lpips:
    """Full-frame LPIPS. `prepare` runs the network over a GT frame once for all that is compared with it."""

    def __init__(self, net: str, device: str) -> None:
        self.device = device
        self.net = {"alex": AlexNet, "vgg": Vgg16, "squeeze": SqueezeNet}[net](device)
        self.heads = [head.flatten().to(device) for head in lpips_heads(net)]
        self.kind = Kind(f"LPIPS-{net}", "", "lower", 4)
        weights = weights_hash([*(t for pair in convolutions(net) for t in pair), *lpips_heads(net)])
        self.signature = f"lpips|{net}-v0.1|{weights}|rgb|uint8|crop0|mean-frames,clips|v1"

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """Distance >= 0 of two uint8 (H, W, 3) RGB frames of at least 32x32."""
        check_pair(sr, gt, minimum=32)
        with torch.inference_mode(), full_precision(self.device):
            bands = self.net.bands(self._input(sr), self._input(gt))
            return self._distance((stage, positions(x), _unit(positions(y))) for stage, (x, y) in bands)

    def prepared_bytes(self, gt: np.ndarray) -> int:
        """Memory that `prepare` would keep for this frame."""
        return int(4 * self.net.floats_per_pixel * gt.shape[0] * gt.shape[1])

    def prepare(self, gt: np.ndarray) -> Features:
        """The features of a GT frame, uint8 (H, W, 3), that `compare` needs."""
        check_pair(gt, gt, minimum=32)
        with torch.inference_mode(), full_precision(self.device):
            return [(stage, _unit(positions(y))) for stage, (y,) in self.net.bands(self._input(gt))]

    def compare(self, sr: np.ndarray, features: Features) -> float:
        """The same number as `score(sr, gt)` with `features = prepare(gt)`; the frames have one size."""
        with torch.inference_mode(), full_precision(self.device):
            bands = self.net.bands(self._input(sr))
            return self._distance(
                (stage, positions(x), y) for (stage, (x,)), (_, y) in zip(bands, features, strict=True)
            )

    def between(self, one: Features, other: Features) -> float:
        """The distance of two frames of one size, both prepared."""
        with torch.inference_mode():
            return self._distance((stage, x, y) for (stage, x), (_, y) in zip(one, other, strict=True))

    def _input(self, frame: np.ndarray) -> torch.Tensor:
        x = to_input(frame, self.device).div_(127.5).sub_(1)
        return x.sub_(_SHIFT.to(self.device)).div_(_SCALE.to(self.device))

    def _distance(self, bands: Iterable[tuple[int, torch.Tensor, torch.Tensor]]) -> float:
        """The sum over stages of the heads' weighted squared differences, each averaged over the positions.

        Args:
            bands: (stage, features of one frame, unit features of the other), tables (positions, C).
        """
        sums = torch.zeros(len(self.heads), dtype=torch.float64, device=self.device)
        counts = [0] * len(self.heads)
        for stage, x, unit in bands:
            counts[stage] += len(unit)
            for a, b in chunks(x, unit):
                sums[stage] += (_unit(a).sub_(b).square_() @ self.heads[stage]).sum(dtype=torch.float64)
        return sum(total / count for total, count in zip(sums.tolist(), counts))


def _unit(table: torch.Tensor) -> torch.Tensor:
    """Rows scaled to unit length."""
    return table / (torch.linalg.vector_norm(table, dim=1, keepdim=True) + 1e-10)


def build(net: str, device: str) -> Lpips:
    """LPIPS on `alex`, `vgg` or `squeeze`."""
    return Lpips(net, device)
