"""E-LPIPS (after Kettunen, Härkönen and Lehtinen 2019, arXiv 1906.03973): LPIPS averaged over random transformations.

A network that was trained on LPIPS can get good scores with patterns that LPIPS does not see at one position and size.
Here both frames get the same random scaling, rotation, shift and blur before they are compared, several times; the
draws are seeded and the same for every frame. Not specified in the paper and our choice: rotations by any angle instead
of quarter turns, blur in place of dropout inside the network, no permutation of colours, the ranges, and the number.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bench.metrics import lpips
from bench.metrics.base import Kind, check_pair

_LARGEST_REDUCTION = 4.0
_SHIFT = 8.0  # pixels
_BLUR = 1.5  # largest sigma, in pixels of the reduced frame
_LEAST = 48  # pixels along the shorter side of a reduced frame


@dataclass(frozen=True)
class Transform:
    """One draw: the frame is blurred, turned about its centre, shifted and reduced."""

    reduction: float  # 1: none
    angle: float  # degrees, counter-clockwise
    dx: float  # pixels of the frame, to the right
    dy: float  # down
    blur: float  # sigma in pixels of the reduced frame

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) -> uint8 (h, w, 3); what lies outside the frame is mirrored."""
        height, width = frame.shape[:2]
        reduction = max(1.0, min(self.reduction, min(height, width) / _LEAST))
        size = round(width / reduction), round(height / reduction)
        sigma = float(np.hypot(self.blur, 0.5) if reduction > 1 else self.blur) * reduction  # 0.5: against aliasing
        blurred = cv2.GaussianBlur(frame, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101) if sigma > 0.1 else frame
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), self.angle, 1 / reduction)
        matrix[:, 2] += (size[0] - width) / 2 + self.dx / reduction, (size[1] - height) / 2 + self.dy / reduction
        return cv2.warpAffine(blurred, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def transforms(count: int, seed: int) -> list[Transform]:
    """The draws of a seed: reductions uniform in their logarithm, everything else uniform."""
    rng = np.random.default_rng(seed)
    return [
        Transform(
            reduction=float(_LARGEST_REDUCTION ** rng.uniform()),
            angle=float(rng.uniform(-180, 180)),
            dx=float(rng.uniform(-_SHIFT, _SHIFT)),
            dy=float(rng.uniform(-_SHIFT, _SHIFT)),
            blur=float(rng.uniform(0, _BLUR)),
        )
        for _ in range(count)
    ]


class Elpips:
    """Mean LPIPS of a pair of frames under `count` transformations.

    Args:
        net: "alex" or "vgg".
        count: transformations.
        seed: of their draws.
        device: where the network runs.
    """

    def __init__(self, net: str, count: int, seed: int, device: str) -> None:
        self.device = device
        self.transforms = transforms(count, seed)
        self._lpips = lpips.build(net, device)
        network = "|".join(self._lpips.signature.split("|")[1:3])
        self.kind = Kind("E-LPIPS" if net == "alex" else f"E-LPIPS-{net}", "", "lower", 4)
        self.signature = f"e-lpips|{network}|{count} draws of seed {seed}|rgb|uint8|crop0|mean-frames,clips|v1"

    def score(self, sr: np.ndarray, gt: np.ndarray) -> float:
        """Distance >= 0 of two uint8 (H, W, 3) RGB frames of at least 48x48."""
        check_pair(sr, gt, minimum=_LEAST)
        return float(np.mean([self._lpips.score(each(sr), each(gt)) for each in self.transforms]))

    def prepared_bytes(self, gt: np.ndarray) -> int:
        """Memory that `prepare` would keep for this frame."""
        least = min(gt.shape[:2]) / _LEAST
        shares = [max(1.0, min(each.reduction, least)) ** -2 for each in self.transforms]
        return int(sum(shares) * self._lpips.prepared_bytes(gt))

    def prepare(self, gt: np.ndarray) -> list[lpips.Features]:
        """The features of a GT frame, uint8 (H, W, 3), under every transformation."""
        check_pair(gt, gt, minimum=_LEAST)
        return [self._lpips.prepare(each(gt)) for each in self.transforms]

    def compare(self, sr: np.ndarray, features: list[lpips.Features]) -> float:
        """The same number as `score(sr, gt)` with `features = prepare(gt)`; the frames have one size."""
        pairs = zip(self.transforms, features, strict=True)
        return float(np.mean([self._lpips.compare(each(sr), known) for each, known in pairs]))
