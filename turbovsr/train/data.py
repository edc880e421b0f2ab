"""Training clips: GT crops from photographs and videos, and their LR, as a pure function of (seed, step).

A photograph becomes a clip by a window that pans over it in whole GT pixels. At scale 4 that is quarter-pixel motion
of the LR frames, and no GT pixel is ever interpolated. A run of video frames is cut from one scene and played forwards
or backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from frames.bicubic import bicubic
from turbovsr.train.console import note
from turbovsr.train.degradations.basic import Bicubic
from turbovsr.train.readers import (
    PHOTO_SUFFIXES,
    VIDEO_SUFFIXES,
    BrokenFile,
    Cache,
    NoRun,
    PhotoFile,
    StoredPhoto,
    StoredShot,
    VideoFile,
)

SOFTEST = 1.7  # by how much a photograph is enlarged at most, where softer ones are wanted
TRIES = 50  # draws until a clip must have been found; only cut-up or broken videos need more than one


class ClipSource:
    """Random GT clips from prepared arrays, photographs and videos.

    Args:
        root: one or several of: a folder that `turbovsr.train.prepare` wrote (`photos/*.npy`, `shots/*.npy`), any other
            folder, searched with its subfolders for photographs and videos, or a single such file.
        crop: edge of the GT crop in pixels. What is smaller is left out, with a note.
        video_share: how often a clip comes from a video rather than from a panned photograph.
        degradation: what makes LR from GT, see `turbovsr.train.degradations`; None: bicubic.
        halve_videos: use video files at half their size.
        cache_mb: how much of decoded files is kept in memory.
        lively: for what share of the photographs' clips the liveliest of `lively_of` crops is taken.
        soft: what share of them is enlarged by up to `SOFTEST`: not all GT is as sharp as a halved photograph.
        grain: largest deviation of the noise on those, in levels of 8 bits.
        vary: what share of all clips gets other colours and lies on its side: few photographs are many to learn from.
    Raises:
        FileNotFoundError: a path is missing, or nothing usable is left.
    """

    def __init__(
        self,
        root: str | Path | Sequence[str | Path],
        crop: int,
        video_share: float,
        degradation: Callable[[Tensor, np.random.Generator], Tensor] | None = None,
        halve_videos: bool = True,
        cache_mb: int = 512,
        lively: float = 1.0,
        lively_of: int = 2,
        soft: float = 0.0,
        grain: float = 0.0,
        vary: float = 0.0,
    ):
        roots = [Path(path) for path in ([root] if isinstance(root, (str, Path)) else root)]
        self.crop, self.video_share, self.vary = crop, video_share, vary
        self.lively, self.lively_of, self.soft, self.grain = lively, lively_of, soft, grain
        self.degradation = degradation or Bicubic()
        self._told: set[str] = set()
        cache = Cache(cache_mb * 2**20)
        stills, moving = find(roots)
        named = ", ".join(map(str, roots))
        self.photos = self._open(
            "photographs", stills, lambda p: StoredPhoto(p) if p.suffix == ".npy" else PhotoFile(p, cache)
        )
        self.shots = self._open(
            "videos at half their size" if halve_videos else "videos",
            moving,
            lambda p: StoredShot(p) if p.suffix == ".npy" else VideoFile(p, cache, halve_videos),
        )
        if not self.photos and not self.shots:
            found = f"none of {len(stills) + len(moving)} files can be used" if stills or moving else "nothing found"
            raise FileNotFoundError(
                f"{named}: no photographs or videos of at least {crop} px ({found}); name folders of pictures or"
                " videos, or what turbovsr.train.prepare wrote"
            )
        if video_share > 0 and not self.shots:
            note(f"{named}: no videos, so every clip pans over a photograph")
        if not self.photos:
            note(f"{named}: no photographs, so every clip is cut from a video")
        # A large photograph holds more crops, but must not drown the many small ones: draw by the root of its area.
        area = np.array([photo.height * photo.width for photo in self.photos], float)
        self.photo_odds = np.sqrt(area) / np.sqrt(area).sum()

    def describe(self) -> str:
        return f"{len(self.photos)} photographs, {len(self.shots)} videos or runs of frames, crops of {self.crop} px"

    def batch(self, rng: np.random.Generator, clips: int, frames: int) -> tuple[Tensor, Tensor]:
        """GT (B, 3, T, crop, crop) and its LR at a quarter of the size, both in [-1, 1]."""
        gt = torch.from_numpy(np.stack([self._clip(rng, frames) for _ in range(clips)]))
        gt = gt.permute(0, 4, 1, 2, 3).float().div(127.5).sub(1)
        return gt, self.degradation(gt, rng)

    def _open(self, what: str, paths: list[Path], make) -> list:
        opened, small = [], 0
        for path in paths:
            try:
                item = make(path)
            except BrokenFile as error:
                note(f"left out: {error}")
                continue
            if min(item.height, item.width) >= self.crop:
                opened.append(item)
            else:
                small += 1
        if small:
            note(f"left out: {small} of {len(paths)} {what}, smaller than the crop of {self.crop} px")
        return opened

    def _clip(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        for _ in range(TRIES):
            try:
                return self._augmented(rng, frames)
            except NoRun:
                continue
            except BrokenFile as error:
                if str(error) not in self._told:
                    self._told.add(str(error))
                    note(f"passed over: {error}")
        raise FileNotFoundError(
            f"no clip of {frames} frames found in {TRIES} draws: the videos are broken or cut too often; leave them out"
        )

    def _augmented(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        from_video = not self.photos or (frames > 1 and rng.random() < self.video_share and bool(self.shots))
        if from_video:
            candidates = [self._video_clip(rng, frames)]
        else:
            crops = self.lively_of if rng.random() < self.lively else 1
            candidates = [self._photo_clip(rng, frames) for _ in range(crops)]
        # The liveliest of some crops: skies and walls teach little after the first thousand.
        clip = max(candidates, key=lambda c: np.abs(np.diff(c[0].astype(np.int16), axis=1)).mean())
        if self.soft and not from_video and rng.random() < self.soft:
            clip = softened(clip, rng.uniform(1, SOFTEST), self.grain, rng)
        if self.vary and rng.random() < self.vary:
            clip = varied(clip, rng)
        if rng.random() < 0.5:
            clip = clip[:, :, ::-1]
        if rng.random() < 0.25:
            clip = clip[:, ::-1]
        if rng.random() < 0.25:
            clip = clip[::-1]
        return np.ascontiguousarray(clip)

    def _photo_clip(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        photo = self.photos[rng.choice(len(self.photos), p=self.photo_odds)].pixels()
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
        shots = [shot for shot in self.shots if shot.length >= frames]
        if not shots:
            raise FileNotFoundError(
                f"no video has {frames} frames; lower batch.frames in the recipe or add longer ones"
            )
        run = shots[rng.integers(len(shots))].run(rng, frames)
        y, x = (rng.integers(0, n - self.crop + 1) for n in run.shape[1:3])
        return np.asarray(run[:, y : y + self.crop, x : x + self.crop])


def softened(clip: np.ndarray, factor: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    """The upper left part of a clip, uint8 (T, H, H, 3), enlarged by about `factor` to the whole's size.

    `grain` is the largest deviation of the noise that is added to it, in levels of 8 bits.
    """
    height, width = clip.shape[1:3]
    part = torch.from_numpy(clip[:, : round(height / factor), : round(width / factor)].copy())
    large = bicubic(part.permute(0, 3, 1, 2).float(), (height, width)).permute(0, 2, 3, 1).numpy()
    noise = rng.standard_normal((len(clip), height, width, 1), dtype=np.float32) * rng.uniform(0, grain)
    return np.rint(large + noise).clip(0, 255).astype(np.uint8)


def varied(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A square clip, uint8 (T, H, H, 3), with its colours in another order, gamma and contrast, perhaps on its side."""
    if rng.random() < 0.5:
        clip = clip.transpose(0, 2, 1, 3)
    contrast = rng.uniform(0.7, 1)
    curve = np.linspace(0, 1, 256) ** np.exp(rng.normal(0, 0.25)) * contrast + rng.uniform(0, 1 - contrast)
    return np.rint(255 * curve).astype(np.uint8)[clip[..., rng.permutation(3)]]


def find(roots: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The files of stills and of moving pictures under some paths, each list sorted."""
    stills, moving = [], []
    for root in roots:
        if not root.exists():
            raise FileNotFoundError(f"{root}: no such file or folder; name photographs or videos as data=")
        if (root / "photos").is_dir() and any((root / "photos").glob("*.npy")) or any(root.glob("shots/*.npy")):
            stills += sorted((root / "photos").glob("*.npy"))
            moving += sorted((root / "shots").glob("*.npy"))
            continue
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file():
                stills.append(path)
            elif path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
                moving.append(path)
    return stills, moving
