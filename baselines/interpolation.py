"""The classical upscalers, with the semantics of MATLAB's `imresize`.

Half-pixel centres: output sample i (counted from 0) lies at u = (i + 0.5) / scale - 0.5 in LR pixels, and its value
is the normalised sum of LR pixels k weighted with kernel(u - k). The border is symmetric (b a | a b ... y z | z y).
No antialiasing: that acts only when shrinking.

For a whole scale s the weights repeat from one LR pixel to the next, so one small matrix serves a whole line: B LR
pixels and their neighbours (B + 2r values) times (B + 2r, B*s) weights give B*s output samples. This block matrix
product is exact and, on one CPU thread, three to four times as fast as torch's antialiased `interpolate`
(docs/decisions/interpolation.md).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from baselines.frames import check_clip, to_uint8
from bench.methods.contract import Descriptor, Stages, no_stages
from frames.kernels import keys_cubic

_BLOCK = 8  # LR pixels a block: 8, 16 and 32 were measured, 8 was fastest


def _box(x: np.ndarray) -> np.ndarray:
    return ((-0.5 <= x) & (x < 0.5)).astype(np.float64)


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(x), 0)


def _lanczos3(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


# name -> (kernel, its half width in LR pixels, rounded up)
KERNELS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int]] = {
    "nearest": (_box, 1),
    "bilinear": (_triangle, 1),
    "bicubic": (keys_cubic, 2),
    "lanczos": (_lanczos3, 3),
}


class Interpolation:
    """Upscaling by a fixed kernel, frame by frame.

    Args:
        kernel: "nearest", "bilinear", "bicubic" (Keys, a = -0.5) or "lanczos" (three lobes).
        scale: a whole number of at least 1.
        device: where it runs, e.g. "cpu" or "cuda".
    Raises:
        ValueError: for an unknown kernel or a scale that is not a whole number.
    """

    def __init__(self, kernel: str, scale: int, device: str = "cpu") -> None:
        if kernel not in KERNELS:
            raise ValueError(f"kernel {kernel!r} is unknown; choose one of {', '.join(KERNELS)}")
        if scale < 1 or scale != int(scale):
            raise ValueError(f"scale must be a whole number of at least 1, not {scale}")
        self.scale = int(scale)
        self.device = torch.device(device)
        self.descriptor = Descriptor(
            name=kernel,
            scale=self.scale,
            kind="image",
            device=device,
            dtype="float32",
            licence="none needed",
            weights="none",
            notes="MATLAB imresize semantics, rounded once at the end",
        )
        function, self._radius = KERNELS[kernel]
        # Row p of the matrix: the weights of output sample p of a block over the block's LR pixels and neighbours.
        centre = (np.arange(_BLOCK * self.scale) + 0.5) / self.scale - 0.5
        pixel = np.arange(-self._radius, _BLOCK + self._radius)
        weights = function(centre[:, None] - pixel[None])
        weights /= weights.sum(axis=1, keepdims=True)
        self._weights = torch.from_numpy(weights).to(self.device, torch.float32)

    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip (see `bench.methods.contract.Upscaler`). Memory beyond the result: that of one frame."""
        check_clip(lr, self.device)
        frames, _, height, width = lr.shape
        rows, columns = self._block_indices(height), self._block_indices(width)
        sr = torch.empty((frames, 3, height * self.scale, width * self.scale), dtype=torch.uint8, device=lr.device)
        with stages("resize"), torch.inference_mode():
            for t in range(frames):
                sr[t] = self._resize(lr[t], rows, columns)
        return sr

    def _resize(self, frame: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """uint8 (3, H, W) -> uint8 (3, sH, sW). Along the rows first: neighbours are picked more cheaply there."""
        _, height, width = frame.shape
        window = len(self._weights[0])
        x = frame.index_select(2, columns).float().view(3, height, -1, window)
        x = (x @ self._weights.T).view(3, height, -1)[..., : width * self.scale]
        x = x.index_select(1, rows).view(3, -1, window, width * self.scale)
        x = (self._weights @ x).view(3, -1, width * self.scale)[:, : height * self.scale]
        return to_uint8(x)

    def _block_indices(self, size: int) -> torch.Tensor:
        """LR indices of every block and its neighbours along a line of `size` pixels, mirrored beyond its ends."""
        start = np.arange(0, size, _BLOCK)
        pixel = np.arange(-self._radius, _BLOCK + self._radius)
        index = (start[:, None] + pixel[None]).ravel() % (2 * size)
        return torch.from_numpy(np.where(index < size, index, 2 * size - 1 - index)).to(self.device)
