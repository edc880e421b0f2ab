"""Degradations on batches of clips, as training holds them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from frames.degradations.benchmark import Degradation


def degrade_clips(degradation: Degradation, gt: Tensor) -> Tensor:
    """LR of a batch by the code that makes LR for benchmarks: (B, 3, T, H, W) -> (B, 3, T, H / scale, W / scale).

    Both are in [-1, 1] on the 256 levels of 8 bits; GT that lies between them is rounded first. LR has the type and
    the device of GT; it is computed on the CPU.
    """
    frames = gt.permute(0, 2, 3, 4, 1).flatten(0, 1).float().add(1).mul(127.5).round().clamp(0, 255)
    lr = np.stack([degradation(frame) for frame in frames.to("cpu", torch.uint8).contiguous().numpy()])
    scaled = torch.from_numpy(lr).to(gt.device).to(gt.dtype).div(127.5).sub(1)
    return scaled.unflatten(0, (len(gt), -1)).permute(0, 4, 1, 2, 3).contiguous()
