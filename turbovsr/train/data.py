"""Training clips: GT crops from photographs and videos, and their LR, as a pure function of (seed, step).

A photograph becomes a clip by a window that pans over it in whole GT pixels. At scale 4 that is quarter-pixel motion
of the LR frames, and no GT pixel is ever interpolated. A run of video frames is cut from one shot
(`turbovsr.train.prepare` sees to that) and played forwards or backwards.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from turbovsr.resample import bicubic


class ClipSource:
    """Random GT clips from the arrays that `turbovsr.train.prepare` wrote.

    Args:
        root: folder with `photos/*.npy` (H, W, 3) and `shots/*.npy` (T, H, W, 3), uint8 RGB.
        crop: edge of the GT crop in pixels.
        video_share: how often a clip comes from a video rather than from a panned photograph.
    """

    def __init__(self, root: str | Path, crop: int, video_share: float):
        root = Path(root)
        self.crop, self.video_share = crop, video_share
        self.photos = [np.load(path, mmap_mode="r") for path in sorted((root / "photos").glob("*.npy"))]
        self.shots = [np.load(path, mmap_mode="r") for path in sorted((root / "shots").glob("*.npy"))]
        self.photos = [photo for photo in self.photos if min(photo.shape[:2]) >= crop]
        self.shots = [shot for shot in self.shots if min(shot.shape[1:3]) >= crop]
        if not self.photos or (video_share > 0 and not self.shots):
            raise FileNotFoundError(f"{root}: no photographs or shots of {crop} px; run turbovsr.train.prepare first")
        # A large photograph holds more crops, but must not drown the many small ones: draw by the root of its area.
        area = np.array([photo.shape[0] * photo.shape[1] for photo in self.photos], float)
        self.photo_odds = np.sqrt(area) / np.sqrt(area).sum()

    def batch(self, rng: np.random.Generator, clips: int, frames: int) -> tuple[Tensor, Tensor]:
        """GT (B, 3, T, crop, crop) and its x4 bicubic LR, both in [-1, 1]."""
        gt = torch.from_numpy(np.stack([self._clip(rng, frames) for _ in range(clips)]))
        gt = gt.permute(0, 4, 1, 2, 3).float().div(127.5).sub(1)
        return gt, degrade(gt)

    def _clip(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        if frames > 1 and rng.random() < self.video_share:
            candidates = [self._video_clip(rng, frames)]
        else:
            candidates = [self._photo_clip(rng, frames) for _ in range(2)]
        # Of two crops the livelier one: skies and walls teach nothing after the first thousand.
        clip = max(candidates, key=lambda c: np.abs(np.diff(c[0].astype(np.int16), axis=1)).mean())
        if rng.random() < 0.5:
            clip = clip[:, :, ::-1]
        if rng.random() < 0.25:
            clip = clip[:, ::-1]
        if rng.random() < 0.25:
            clip = clip.transpose(0, 2, 1, 3)
        if rng.random() < 0.5:
            clip = clip[::-1]
        return np.ascontiguousarray(clip)

    def _photo_clip(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        photo = self.photos[rng.choice(len(self.photos), p=self.photo_odds)]
        room = np.array(photo.shape[:2]) - self.crop
        time = np.linspace(0, 1, frames) if frames > 1 else np.zeros(1)
        speed = rng.exponential(2.5, 2) * rng.choice([-1, 1], 2) * (rng.random() > 0.1)  # GT pixels a frame
        bend = rng.normal(0, 4, 2) if speed.any() else np.zeros(2)
        path = np.rint(time[:, None] * speed * (frames - 1) + np.sin(np.pi * time)[:, None] * bend).astype(int)
        path -= path.min(axis=0)
        path = np.minimum(path, room)
        corner = rng.integers(0, room - path.max(axis=0) + 1)
        return np.stack([photo[y : y + self.crop, x : x + self.crop] for y, x in path + corner])

    def _video_clip(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        shot = self.shots[rng.integers(len(self.shots))]
        start = rng.integers(0, len(shot) - frames + 1)
        y, x = (rng.integers(0, n - self.crop + 1) for n in shot.shape[1:3])
        return np.asarray(shot[start : start + frames, y : y + self.crop, x : x + self.crop])


def degrade(gt: Tensor, scale: int = 4) -> Tensor:
    """MATLAB bicubic of (B, 3, T, H, W) in [-1, 1] by 1/scale, rounded to 8 bits as a stored LR frame is."""
    batch, _, frames, height, width = gt.shape
    lr = bicubic(gt.transpose(1, 2).flatten(0, 1), (height // scale, width // scale))
    lr = ((lr + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1
    return lr.unflatten(0, (batch, frames)).transpose(1, 2)
