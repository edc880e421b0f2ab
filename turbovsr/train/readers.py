"""Photographs and videos for training: prepared arrays, or files that are decoded through a bounded cache.

The clips depend only on the file and the random generator, never on the state of the cache, so a resumed training
sees the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from frames.door import open_regular
from frames.images import image_header, read_image
from frames.video import index_video, read_window
from turbovsr.train.cache import Cache

CUT_LEVELS = 9.0  # mean change of the thumbnail, in grey levels, that counts as a scene cut
END_MARKERS = {"png": b"IEND", "jpeg": b"\xff\xd9"}
TAIL_BYTES = 1 << 16
WINDOW = 48  # frames of a video that are decoded and kept together


class BrokenFile(ValueError):
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


@contextmanager
def broken_file() -> Iterator[None]:
    """Turn the errors of reading a file into `BrokenFile`."""
    try:
        yield
    except (OSError, ValueError, EOFError) as error:
        raise BrokenFile(" ".join(str(error).split())) from error


def has_end(path: Path, marker: bytes) -> bool:
    """Whether a file has a marker in its last 64 KiB, so that most photographs are known as whole without decoding."""
    with open_regular(path, "image") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        return marker in file.read()


class StoredPhoto:
    """A photograph that `turbovsr.train.prepare` wrote; it is mapped into memory on request (see `_mapped`)."""

    def __init__(self, path: Path):
        self.path = path
        self.height, self.width = _mapped(path, 3).shape[:2]

    def pixels(self) -> np.ndarray:
        return _mapped(self.path, 3)


class StoredVideo:
    """Frames of one scene that `turbovsr.train.prepare` wrote; they are mapped into memory on request."""

    def __init__(self, path: Path):
        self.path = path
        self.length, self.height, self.width = _mapped(path, 4).shape[:3]

    def sequence(self, rng: np.random.Generator, frames: int) -> np.ndarray:
        start = rng.integers(0, self.length - frames + 1)
        return _mapped(self.path, 4)[start : start + frames]


def _mapped(path: Path, dimensions: int) -> np.ndarray:
    """Map an array of `turbovsr.train.prepare` into memory.

    A mapping holds its file open, and systems let a process open 1024 files or so: none is kept for each photograph.
    """
    complaint = f"{path}: not an array that turbovsr.train.prepare wrote"
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError, SyntaxError, TypeError) as error:
        raise BrokenFile(f"{complaint} ({' '.join(str(error).split())})") from error
    if array.ndim != dimensions or array.shape[-1] != 3 or array.dtype != np.uint8:
        raise BrokenFile(f"{complaint} ({array.dtype} {array.shape})")
    return array


class PhotoFile:
    """A photograph in a file: its header is read at once, its pixels on request."""

    def __init__(self, path: Path, cache: Cache):
        self.path, self.cache = path, cache
        with broken_file():
            header = image_header(path)
            self.height, self.width = header.upright_size
            if not has_end(path, END_MARKERS.get(header.format, b"")):
                read_image(path)  # raises for a truncated file; telephones append a short film to a whole photograph

    def pixels(self) -> np.ndarray:
        return self.cache.get(self.path, self._read)[0]

    def _read(self) -> tuple[np.ndarray]:
        with broken_file():
            return (read_image(self.path),)


class VideoFile:
    """A video, read in windows of `WINDOW` frames that are decoded on request.

    Every window begins at a known frame: the file's packets are listed once, which reads but does not decode it.

    Args:
        halved: use the frames at half their size, where detail that a codec left soft at 1:1 is sharp.
    """

    def __init__(self, path: Path, cache: Cache, halved: bool):
        self.path, self.cache, self.halved = path, cache, halved
        with broken_file():
            self.index = index_video(path)
        self.length = self.index.frames
        divisor = 2 if halved else 1
        self.height, self.width = self.index.height // divisor, self.index.width // divisor

    @property
    def windows(self) -> int:
        """Number of windows; the last one reaches back into the one before it."""
        return self.length // WINDOW + 1

    def sequence(self, rng: np.random.Generator, frames: int, number: int | None = None) -> np.ndarray:
        """Draw a window, if none is numbered, and consecutive frames of one scene in it.

        Raises:
            NoUncutSequence: the window has no such frames.
        """
        size = max(WINDOW, frames)
        last = max(0, self.length - size)
        start = min((int(rng.integers(0, self.windows)) if number is None else number) * WINDOW, last)
        window, is_cut = self.cache.get((self.path, start, size), lambda: self.read_window(start, size))
        uncut = [s for s in range(len(window) - frames + 1) if not is_cut[s : s + frames - 1].any()]
        if not uncut:
            raise NoUncutSequence(f"{self.path}: no {frames} frames without a cut from frame {start} on")
        first = uncut[rng.integers(len(uncut))]
        return window[first : first + frames]

    def read_window(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Decode `count` frames from frame `start` on, fewer at the end, and find the cuts between them."""
        frames, thumbnails = [], []
        with broken_file():
            for pixels in read_window(self.index, start, count):
                thumbnails.append(thumbnail(pixels))
                frames.append(halve(pixels) if self.halved else pixels)
        if len(frames) < 2:
            raise BrokenFile(f"{self.path}: {len(frames)} frames from frame {start} on, at least 2 are needed")
        return np.stack(frames), cuts(np.stack(thumbnails))
