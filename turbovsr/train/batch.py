"""The batch of a training step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """GT clips (B, 3, T, H, W) and their LR clips (B, 3, T, H/4, W/4), both float32 in [-1, 1]."""

    gt: Tensor
    lr: Tensor

    def __len__(self) -> int:
        return len(self.gt)

    def to(self, device: torch.device) -> Batch:
        return Batch(self.gt.to(device, non_blocking=True), self.lr.to(device, non_blocking=True))
