"""Photographs and videos for training: prepared arrays, or files that are decoded through a bounded cache.

What is read depends on the file and the random generator alone, never on the state of the cache, so a resumed training
sees the same clips.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

import av
import cv2
import numpy as np
from PIL import Image, ImageOps

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".mpg", ".mpeg", ".m4v", ".ts", ".y4m")
CUT_LEVELS = 9.0  # mean change of the thumbnail, in grey levels, that counts as a scene cut
EXACT_SEEK = ("mov", "matroska")  # containers where seeking to a time stamp lands where it should; MPEG-PS does not
WINDOW = 48  # frames of a video that are decoded and kept together


class BrokenFile(Exception):
    """A file that cannot be read; the message names it."""


class NoUncutSequence(Exception):
    """A part of a video without enough frames between two cuts."""


class Photo(Protocol):
    """A photograph."""

    height: int
    width: int

    def pixels(self) -> np.ndarray:
        """uint8 (H, W, 3) RGB."""
        ...


class Video(Protocol):
    """A video of `length` frames."""

    length: int
    height: int
    width: int

    def sequence(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        """Draw consecutive frames of one scene, uint8 (frames, H, W, 3) RGB. May raise `NoUncutSequence`."""
        ...


def halve(frame: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (H//2, W//2, 3), area-averaged."""
    height, width = frame.shape[0] // 2, frame.shape[1] // 2
    return cv2.resize(frame[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)


def thumbnail(frame: np.ndarray) -> np.ndarray:
    """A 32x18 grey picture in 0..255, to compare frames by."""
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (32, 18), interpolation=cv2.INTER_AREA).astype(np.float32)


def cuts(thumbnails: np.ndarray) -> np.ndarray:
    """(T, 18, 32) -> bool (T-1,): True where the scene changes between a frame and the next."""
    return np.abs(np.diff(thumbnails, axis=0)).mean(axis=(1, 2)) > CUT_LEVELS


def read_photo(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, turned upright as the camera noted."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # SyntaxError: a broken PNG
        raise BrokenFile(f"{path}: cannot be read as a photograph ({error})") from error


def read_frames(path: Path):
    """Yield the RGB frames of a video, (H, W, 3) uint8."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise BrokenFile(f"{path}: has no video stream")
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
    except (av.FFmpegError, OSError) as error:
        raise BrokenFile(f"{path}: cannot be read as a video ({error})") from error


class Cache:
    """Decoded arrays, the least recently used of them dropped above a number of bytes. Threads may share it."""

    def __init__(self, limit: int):
        self.limit, self.used = limit, 0
        self._entries: OrderedDict = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key, make):
        """The entry of a key; `make()` gives it, a tuple of arrays, when it is not here."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        entry = make()  # outside the lock: others may read meanwhile, at worst two threads decode the same
        with self._lock:
            if key not in self._entries:
                self._entries[key] = entry
                self.used += _size(entry)
            while self.used > self.limit and len(self._entries) > 1:
                self.used -= _size(self._entries.popitem(last=False)[1])
        return entry


def _size(entry) -> int:
    return sum(array.nbytes for array in entry)


class StoredPhoto:
    """A photograph that `turbovsr.train.prepare` wrote, mapped into memory."""

    def __init__(self, path: Path):
        self.array = _mapped(path, 3)
        self.height, self.width = self.array.shape[:2]

    def pixels(self) -> np.ndarray:
        return self.array


class StoredVideo:
    """Frames of one scene that `turbovsr.train.prepare` wrote, mapped into memory."""

    def __init__(self, path: Path):
        self.array = _mapped(path, 4)
        self.length, self.height, self.width = self.array.shape[:3]

    def sequence(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        start = rng.integers(0, self.length - frames + 1)
        return self.array[start : start + frames]


def _mapped(path: Path, dimensions: int) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise BrokenFile(f"{path}: not an array that turbovsr.train.prepare wrote ({error})") from error
    if array.ndim != dimensions or array.shape[-1] != 3 or array.dtype != np.uint8:
        raise BrokenFile(f"{path}: not an array that turbovsr.train.prepare wrote ({array.dtype} {array.shape})")
    return array


class PhotoFile:
    """A photograph in a file; its header is read at once, its pixels when they are asked for."""

    def __init__(self, path: Path, cache: Cache):
        self.path, self.cache = path, cache
        try:
            with Image.open(path) as image:
                self.width, self.height = image.size
                if image.getexif().get(0x0112, 1) >= 5:  # the orientations that turn by a quarter
                    self.width, self.height = self.height, self.width
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise BrokenFile(f"{path}: cannot be read as a photograph ({error})") from error

    def pixels(self) -> np.ndarray:
        return self.cache.get(self.path, lambda: (read_photo(self.path),))[0]


class VideoFile:
    """A video, read in windows of `WINDOW` frames that are decoded when they are asked for.

    Every window begins at a known frame: the file's packets are listed once, which reads but does not decode it.

    Args:
        halved: use the frames at half their size: what a codec leaves soft at 1:1 becomes sharp ground truth.
    """

    def __init__(self, path: Path, cache: Cache, halved: bool):
        self.path, self.cache, self.halved = path, cache, halved
        try:
            with av.open(str(path)) as container:
                if not container.streams.video:
                    raise BrokenFile(f"{path}: has no video stream")
                packets = [packet for packet in container.demux(video=0) if packet.size]
                seeks = container.format.name.startswith(EXACT_SEEK)
            first = next(read_frames(path), None)
        except (av.FFmpegError, OSError) as error:
            raise BrokenFile(f"{path}: cannot be read as a video ({error})") from error
        if first is None:
            raise BrokenFile(f"{path}: has no frame that can be decoded")
        stamps = [packet.pts for packet in packets]
        sound = seeks and None not in stamps and len(set(stamps)) == len(stamps)
        self.stamps = sorted(stamps) if sound else None  # None: decoded from the beginning each time
        self.length = len(packets)
        self.height, self.width = (edge // 2 if halved else edge for edge in first.shape[:2])

    def sequence(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        """Draw a window, and consecutive frames of one scene in it. Raises `NoUncutSequence` if it has none."""
        last = max(0, self.length - max(WINDOW, frames))
        start = min(int(rng.integers(0, self.length // WINDOW + 1)) * WINDOW, last)
        window, is_cut = self.cache.get(
            (self.path, start, max(WINDOW, frames)), lambda: self._decode(start, max(WINDOW, frames))
        )
        whole = [s for s in range(len(window) - frames + 1) if not is_cut[s : s + frames - 1].any()]
        if not whole:
            raise NoUncutSequence(f"{self.path}: no {frames} frames without a cut from frame {start} on")
        begin = whole[rng.integers(len(whole))]
        return window[begin : begin + frames]

    def _decode(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """`count` frames from frame `start` on, fewer at the end, and where cuts lie between them."""
        frames, thumbnails = [], []
        try:
            with av.open(str(self.path)) as container:
                stream = container.streams.video[0]
                if self.stamps is not None and start:
                    container.seek(self.stamps[start], stream=stream)
                for index, frame in enumerate(container.decode(stream)):
                    if frame.pts < self.stamps[start] if self.stamps is not None else index < start:
                        continue
                    pixels = frame.to_ndarray(format="rgb24")
                    thumbnails.append(thumbnail(pixels))
                    frames.append(halve(pixels) if self.halved else pixels)
                    if len(frames) == count:
                        break
        except (av.FFmpegError, OSError) as error:
            raise BrokenFile(f"{self.path}: cannot be decoded from frame {start} on ({error})") from error
        if len(frames) < 2:
            raise BrokenFile(f"{self.path}: gives no frames from frame {start} on")
        return np.stack(frames), cuts(np.stack(thumbnails))
