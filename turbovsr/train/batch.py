"""The batch of a training step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """GT clips (B, 3, T, H, W) and their LR clips (B, 3, T, H/4, W/4), both float32 in [-1, 1].

    `motion` is GT's, as `turbovsr.train.motion.motion_grid` gives it, where the loss needs it.
    """

    gt: Tensor
    lr: Tensor
    motion: Tensor | None = None

    @classmethod
    def from_uint8(cls, gt: Sequence[np.ndarray], lr: Sequence[np.ndarray]) -> Batch:
        """Convert clips, uint8 (T, H, W, 3) each, and their LR."""
        return cls(to_tensor(gt), to_tensor(lr))

    def __len__(self) -> int:
        return len(self.gt)

    def to(self, device: torch.device) -> Batch:
        motion = None if self.motion is None else self.motion.to(device, non_blocking=True)
        return Batch(self.gt.to(device, non_blocking=True), self.lr.to(device, non_blocking=True), motion)


def to_tensor(clips: Sequence[np.ndarray]) -> Tensor:
    """Clips of one size, uint8 (T, H, W, 3) each, as float32 (B, 3, T, H, W) in [-1, 1]."""
    return torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3).float().div(127.5).sub(1)
