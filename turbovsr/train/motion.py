"""A loss on errors that change along the motion of the picture, because swimming detail is always visible.

A loss on differences at a fixed place, `reconstruction.temporal`, also penalises wrong detail that moves correctly. A
loss along the motion of GT does not: there the error of a frame should equal that of the frame before.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from turbovsr.rearrange import frames_to_batch
from turbovsr.train.batch import Batch
from turbovsr.train.options import ReconstructionConfig

SEEN = 0.1  # largest difference, in [-1, 1], between GT and its moved previous frame where the motion counts as known


def with_motion(batch: Batch, loss: ReconstructionConfig) -> Batch:
    """Add the motion of GT to a batch of clips whose loss needs it.

    It takes a processor a millisecond a frame of 192x192. Where batches are drawn, workers find it ahead of time.
    """
    return replace(batch, motion=motion_grid(batch.gt)) if loss.motion > 0 and batch.gt.shape[2] > 1 else batch


def error_change(sr: Tensor, gt: Tensor, motion: Tensor | None = None, eps: float = 1e-3) -> Tensor:
    """Charbonnier mean of e(t) - W e(t-1), with e = SR - GT and W the motion of GT; 0 where the motion is not known.

    Args:
        sr, gt: clips (B, 3, T, H, W) in [-1, 1], T at least 2.
        motion: `motion_grid(gt)`, if it is at hand.
    """
    grid = motion_grid(gt) if motion is None else motion
    with torch.no_grad():
        moved = _moved(gt[:, :, :-1], grid)
        known = ((frames_to_batch(gt[:, :, 1:]) - moved).abs().mean(1, keepdim=True) < SEEN).to(gt)
    error = sr - gt
    change = frames_to_batch(error[:, :, 1:]) - _moved(error[:, :, :-1], grid)
    return ((change.square() + eps**2).sqrt() * known).mean()


def motion_grid(gt: Tensor) -> Tensor:
    """Place of each pixel in the frame before, for `grid_sample`, (B*(T-1), H, W, 2); optical flow by OpenCV's DIS."""
    height, width = gt.shape[-2:]
    luma = ((gt.mean(1) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()  # (B, T, H, W)
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    still = np.zeros((height, width, 2), np.float32)
    flows = [dis.calc(now, before, still.copy()) for clip in luma for before, now in zip(clip, clip[1:])]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    places = np.stack(flows) + np.stack([columns, rows], axis=-1)
    scale = torch.tensor([2 / (width - 1), 2 / (height - 1)], device=gt.device)
    return torch.from_numpy(places).to(gt.device) * scale - 1


def _moved(frames: Tensor, grid: Tensor) -> Tensor:
    """Move each frame by the motion to the next one, (B, 3, T-1, H, W) -> (B*(T-1), 3, H, W)."""
    batch = frames_to_batch(frames).float()
    return F.grid_sample(batch, grid, padding_mode="border", align_corners=True)
