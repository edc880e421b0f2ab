"""The clips to encode: assignment of photographs and videos of a folder to buckets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from turbovsr.train.cache import Cache
from turbovsr.train.data import find_media
from turbovsr.train.ltx.latents import Bucket, source_name
from turbovsr.train.messages import info
from turbovsr.train.readers import BrokenFile, PhotoFile, StoredPhoto, StoredVideo, VideoFile

CACHE = 2**29  # bytes of decoded files

Media = StoredPhoto | PhotoFile | StoredVideo | VideoFile


@dataclass(frozen=True)
class Clip:
    """The `index`-th clip or still that is drawn from a file."""

    path: Path
    media: Media
    bucket: Bucket
    index: int

    @property
    def name(self) -> str:
        """A file name that no other clip has."""
        return f"{source_name(self.path)}-{self.index:04d}"

    def rng(self, seed: int) -> np.random.Generator:
        """Random numbers for the place of the clip and its degradations."""
        return np.random.default_rng([*self._seeds(seed), self.index])

    def window(self, seed: int) -> int | None:
        """The window of a video file that the clip is cut from: another one for each clip, as far as there are some."""
        if not isinstance(self.media, VideoFile):
            return None
        order = np.random.default_rng(self._seeds(seed)).permutation(self.media.windows)
        return int(order[self.index % len(order)])

    def _seeds(self, seed: int) -> list[int]:
        digest = hashlib.sha256(self.path.name.encode()).digest()
        return [seed, int.from_bytes(digest[:8], "little")]

    def frames(self, rng: np.random.Generator, window: int | None = None) -> np.ndarray:
        """Draw the frames, uint8 (T, H, W, 3), a video's from `window`. May raise `BrokenFile`, `NoUncutSequence`."""
        bucket = self.bucket
        if isinstance(self.media, VideoFile):
            frames = self.media.sequence(rng, bucket.frames, window)
        elif isinstance(self.media, StoredVideo):
            frames = self.media.sequence(rng, bucket.frames)
        else:
            frames = self.media.pixels()[None]
        top, left = (
            rng.integers(0, has - wants + 1) for has, wants in zip(frames.shape[1:3], (bucket.height, bucket.width))
        )
        return np.array(frames[:, top : top + bucket.height, left : left + bucket.width])


def find_clips(roots: Sequence[Path], buckets: Sequence[Bucket], every: int, halve_videos: bool) -> list[Clip]:
    """List the clips of all files in a fixed order: one for each `every` frames of a video, one of a photograph.

    Files that are broken or fill no bucket are left out, with a message.

    Raises:
        FileNotFoundError: a path is missing, or no file fills a bucket.
    """
    cache = Cache(CACHE)
    photos, videos = find_media(roots)
    found: list[Clip] = []
    small, hint = 0, ""
    for path, media in _opened(photos, videos, cache, halve_videos):
        length = getattr(media, "length", 1)
        bucket = largest(buckets, media.height, media.width, length, isinstance(media, (StoredVideo, VideoFile)))
        if bucket is None:
            small += 1
            if isinstance(media, VideoFile) and halve_videos:
                hint = "; videos are used at half their size, --full-videos uses them whole"
            continue
        count = max(1, length // every) if bucket.frames > 1 else 1
        found += [Clip(path, media, bucket, index) for index in range(count)]
    if small:
        info(f"left out: {small} files that fill no bucket{hint}")
    if not found:
        sizes = ", ".join(map(str, buckets))
        raise FileNotFoundError(
            f"{', '.join(map(str, roots))}: no file fills one of the buckets {sizes}: name smaller ones{hint}"
        )
    return found


def largest(buckets: Sequence[Bucket], height: int, width: int, frames: int, is_video: bool) -> Bucket | None:
    """Largest bucket, by pixels, that a file fills: of clips for a video, of stills for a photograph; None: none."""
    filled = [
        b
        for b in buckets
        if b.height <= height and b.width <= width and b.frames <= frames and (b.frames > 1) == is_video
    ]
    return max(filled, key=lambda b: (b.height * b.width * b.frames, b), default=None)


def _opened(photos: list[Path], videos: list[Path], cache: Cache, halve_videos: bool) -> Iterator[tuple[Path, Media]]:
    for path, is_video in [*((path, False) for path in photos), *((path, True) for path in videos)]:
        stored = path.suffix == ".npy"
        try:
            if is_video:
                yield path, StoredVideo(path) if stored else VideoFile(path, cache, halve_videos)
            else:
                yield path, StoredPhoto(path) if stored else PhotoFile(path, cache)
        except BrokenFile as error:
            info(f"left out: {error}")
