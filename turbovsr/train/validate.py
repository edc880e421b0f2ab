"""Scores of a model on whole held-out clips while it trains: LPIPS-alex, DISTS and PSNR-Y by kind of latent."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from turbovsr.train.data import degrade


def read_clip(folder: Path, frames: int) -> Tensor:
    """The first frames of a folder of PNGs, cropped to multiples of 32: (1, 3, T, H, W) in [-1, 1]."""
    paths = sorted(Path(folder).glob("*.png"))[:frames]
    if len(paths) < frames:
        raise FileNotFoundError(f"{folder}: {len(paths)} PNG frames, {frames} wanted; name a longer clip")
    clip = np.stack([cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in paths])
    height, width = (n // 32 * 32 for n in clip.shape[1:3])
    clip = torch.from_numpy(clip[:, :height, :width]).permute(3, 0, 1, 2)[None]
    return clip.float() / 127.5 - 1


def luma(frames: Tensor) -> Tensor:
    """BT.601 studio-range Y in 0..255 of (N, 3, H, W) in 0..255."""
    weights = frames.new_tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1) / 255
    return (frames * weights).sum(dim=1) + 16


def scores(sr: Tensor, gt: Tensor, perceptual: nn.Module, dists: nn.Module) -> tuple[float, float, float]:
    """(LPIPS-alex, DISTS of the middle frame, PSNR-Y in dB), means over the frames of a (1, 3, T, H, W) clip rounded to 8 bits first."""
    sr, gt = (((x[0].transpose(0, 1) + 1) * 127.5).round().clamp(0, 255) for x in (sr, gt))
    error = (luma(sr) - luma(gt)).square().mean(dim=(1, 2))
    lpips = torch.cat([perceptual(a[None] / 127.5 - 1, b[None] / 127.5 - 1).flatten() for a, b in zip(sr, gt)])
    middle = slice(len(sr) // 2, len(sr) // 2 + 1)
    texture = dists(sr[middle] / 127.5 - 1, gt[middle] / 127.5 - 1)
    return float(lpips.mean()), float(texture), float((10 * torch.log10(255**2 / error)).mean())


class Validation:
    """Score the decodings that `outputs(model, lr, gt)` names on every clip; calling it returns one flat dict."""

    def __init__(self, folders: list[str], frames: int, perceptual: nn.Module, dists: nn.Module, outputs):
        self.clips = {Path(folder).name: read_clip(Path(folder), frames) for folder in folders}
        self.perceptual, self.dists, self.outputs = perceptual, dists, outputs

    @torch.no_grad()
    def __call__(self, model: nn.Module) -> dict[str, float]:
        result = {}
        for clip, gt in self.clips.items():
            for name, sr in self.outputs(model, degrade(gt), gt).items():
                lpips, texture, psnr = scores(sr, gt, self.perceptual, self.dists)
                result[f"{clip}/{name}"] = f"{lpips:.4f} {texture:.4f} {psnr:.2f}"
        return result
