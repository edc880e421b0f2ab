"""Training clips: random GT crops of photographs and videos, and their LR, as a function of (seed, step, rank).

A photograph becomes a clip by a window that pans over it in whole GT pixels. At scale 4 that is quarter-pixel motion
of the LR frames, and no GT pixel is interpolated. A clip from a video is cut from one scene.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np

from frames.degradations import ClipBicubic, ClipDegradation
from frames.listing import files_below, is_image, is_video
from turbovsr.train.augmentation import change_colours, enlarge, flip
from turbovsr.train.batch import Batch
from turbovsr.train.cache import Cache
from turbovsr.train.data_options import Augmentation, BatchConfig, DataConfig
from turbovsr.train.letters import draw_letters
from turbovsr.train.messages import info
from turbovsr.train.readers import (
    BrokenFile,
    NoUncutSequence,
    Photo,
    PhotoFile,
    StoredPhoto,
    StoredVideo,
    Video,
    VideoFile,
)
from turbovsr.train.rng import StepRng

MOST_DRAWS = 50  # attempts to draw a clip; only broken videos and those with many cuts need more than one

Media = TypeVar("Media", Photo, Video)


class ClipSource:
    """Random GT clips and their LR clips.

    Args:
        config: files, and how they are read.
        crop: edge of the GT crop in pixels. Smaller files are left out, with a message.
        augmentation: random changes of the GT clips.
        degradation: makes LR clips; None: bicubic.
    Raises:
        FileNotFoundError: a path is missing, or nothing usable is left.
    """

    def __init__(
        self,
        config: DataConfig,
        crop: int,
        augmentation: Augmentation | None = None,
        degradation: ClipDegradation | None = None,
    ):
        self.video_share, self.crop = config.video_share, crop
        self.augmentation, self.degradation = augmentation or Augmentation(), degradation or ClipBicubic()
        self._reported: set[str] = set()
        self._long_enough: dict[int, list[Video]] = {}  # videos by the frames that are wanted
        cache, named = Cache(config.cache_mb * 2**20), ", ".join(config.paths)
        photo_paths, video_paths = find_media([Path(path) for path in config.paths])
        self.photos: list[Photo] = self._open(
            "photographs", photo_paths, lambda p: StoredPhoto(p) if p.suffix == ".npy" else PhotoFile(p, cache)
        )
        self.videos: list[Video] = self._open(
            "videos at half their size" if config.halve_videos else "videos",
            video_paths,
            lambda p: StoredVideo(p) if p.suffix == ".npy" else VideoFile(p, cache, config.halve_videos),
        )
        if not self.photos and not self.videos:
            found = len(photo_paths) + len(video_paths)
            raise FileNotFoundError(
                f"{named}: no photographs or videos of at least {crop} px"
                f" ({f'none of {found} files can be used' if found else 'nothing found'}); name folders of pictures"
                " or videos, or what turbovsr.train.prepare wrote"
            )
        if config.video_share > 0 and not self.videos:
            info(f"{named}: no videos, so every clip pans over a photograph")
        if not self.photos:
            info(f"{named}: no photographs, so every clip is cut from a video")
        # Odds by the root of the area: a large photograph holds more crops, but must not crowd out many small ones.
        area = np.array([photo.height * photo.width for photo in self.photos], float)
        odds = np.cumsum(np.sqrt(area) / np.sqrt(area).sum())
        self._photo_bounds = odds / odds[-1:]  # each photograph's share of [0, 1) ends here

    def describe(self) -> str:
        return f"{len(self.photos)} photographs, {len(self.videos)} videos, crops of {self.crop} px"

    def draw(self, config: BatchConfig, rng: StepRng, stills: bool | None = None) -> Batch:
        """Draw the batch of a step, of stills or of clips; `stills` None: stills with probability `image_share`."""
        if stills is None:
            stills = rng.shared.random() < config.image_share
        if stills:
            return self.batch(rng.numpy, config.images, 1)
        return self.batch(rng.numpy, config.clips, config.frames)

    def batch(self, rng: np.random.Generator, clips: int, frames: int) -> Batch:
        """Draw a batch of `clips` clips of `frames` frames."""
        gt = [self.clip(rng, frames) for _ in range(clips)]
        return Batch.from_uint8(gt, [self.degradation(clip, rng) for clip in gt])

    def _open(self, kind: str, paths: list[Path], open_file: Callable[[Path], Media]) -> list[Media]:
        opened, small = [], 0
        for path in paths:
            try:
                item = open_file(path)
            except BrokenFile as error:
                info(f"left out: {error}")
                continue
            if min(item.height, item.width) >= self.crop:
                opened.append(item)
            else:
                small += 1
        if small:
            info(f"left out: {small} of {len(paths)} {kind}, smaller than the crop of {self.crop} px")
        return opened

    def clip(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        """Draw a GT clip, uint8 (T, crop, crop, 3).

        Raises:
            FileNotFoundError: no readable clip without a cut was found in `MOST_DRAWS` draws.
        """
        for _ in range(MOST_DRAWS):
            try:
                return self._augmented_clip(rng, frames)
            except NoUncutSequence:
                continue
            except BrokenFile as error:
                if str(error) not in self._reported:
                    self._reported.add(str(error))
                    info(f"skipped: {error}")
        raise FileNotFoundError(
            f"no clip of {frames} frames found in {MOST_DRAWS} draws: the videos are broken or cut too often; leave"
            " them out"
        )

    def _augmented_clip(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        options = self.augmentation
        from_video = not self.photos or (frames > 1 and rng.random() < self.video_share and bool(self.videos))
        if from_video:
            clip = self._video_clip(rng, frames)
        else:
            # The most detailed of some crops, because skies and walls teach little after the first thousand.
            count = options.detail_crop_candidates if rng.random() < options.detail_crop_prob else 1
            letters = options.letters_prob > 0 and rng.random() < options.letters_prob
            clip = max((self._photo_clip(rng, frames, letters) for _ in range(count)), key=_detail)
            if options.blur_prob and rng.random() < options.blur_prob:
                clip = enlarge(clip, options.noise_std, rng)
        if options.augment_prob and rng.random() < options.augment_prob:
            clip = change_colours(clip, rng)
        return flip(clip, rng)

    def _photo_clip(self, rng: np.random.Generator, frames: int, letters: bool = False) -> np.ndarray:
        # As rng.choice(len(self.photos), p=odds), which would check and add up all the odds at each draw.
        photo = self.photos[self._photo_bounds.searchsorted(rng.random(), side="right")].pixels()
        room = np.array(photo.shape[:2]) - self.crop
        time = np.linspace(0, 1, frames) if frames > 1 else np.zeros(1)
        speed = rng.exponential(2.5, 2) * rng.choice([-1, 1], 2) * (rng.random() > 0.1)  # GT pixels a frame
        bend = rng.normal(0, 4, 2) if speed.any() else np.zeros(2)
        path = np.rint(time[:, None] * speed * (frames - 1) + np.sin(np.pi * time)[:, None] * bend).astype(int)
        path -= path.min(axis=0)
        path = np.minimum(path, room)
        corner = rng.integers(0, room - path.max(axis=0) + 1)
        bottom, right = corner + path.max(axis=0) + self.crop
        seen = photo[corner[0] : bottom, corner[1] : right]
        if letters:
            seen = draw_letters(seen, rng)
        return np.stack([seen[y : y + self.crop, x : x + self.crop] for y, x in path])

    def _video_clip(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        videos = self._long_enough.get(frames)
        if videos is None:
            videos = self._long_enough[frames] = [video for video in self.videos if video.length >= frames]
        if not videos:
            raise FileNotFoundError(
                f"no video has {frames} frames; lower batch.frames in the recipe or add longer ones"
            )
        sequence = videos[rng.integers(len(videos))].sequence(rng, frames)
        y, x = (rng.integers(0, n - self.crop + 1) for n in sequence.shape[1:3])
        return np.array(sequence[:, y : y + self.crop, x : x + self.crop])


def _detail(clip: np.ndarray) -> float:
    """Mean difference between horizontal neighbours in the first frame, in 8-bit levels."""
    return float(np.abs(np.diff(clip[0].astype(np.int16), axis=1)).mean())


def find_media(roots: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Find photographs and videos under some paths, each list sorted.

    Hidden files and folders are not searched, those behind links are.

    Raises:
        FileNotFoundError: a path is missing, or neither a folder nor a regular file.
    """
    photos: list[Path] = []
    videos: list[Path] = []
    for root in roots:
        if not root.is_dir() and not root.is_file():
            kind = "neither a folder nor a regular file" if root.exists() else "no such file or folder"
            raise FileNotFoundError(f"{root}: {kind}; name photographs or videos as data=")
        stored = [_visible(root, (root / name).glob("*.npy")) for name in ("photos", "shots")]
        if any(stored):
            photos += stored[0]
            videos += stored[1]
            continue
        for path in [root] if root.is_file() else _visible(root, files_below(root)):
            if is_image(path):
                photos.append(path)
            elif is_video(path):
                videos.append(path)
    return photos, videos


def _visible(root: Path, found: Iterable[Path]) -> list[Path]:
    """The regular files among those found below a root, sorted, without hidden ones and those in hidden folders."""
    visible = (path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))
    return sorted(path for path in visible if path.is_file())
