"""Sources of frames. A source knows its number of frames and their size, and reads them when it is iterated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from bench.methods.contract import FrameSource
from frames.degradations import Degradation, Seeded
from frames.images import Size, image_size, read_image
from frames.input_quality import indices_to_judge
from frames.video import index_video, read_video, read_window


@dataclass(frozen=True)
class ImageFiles:
    """One image file a frame, in the order given. All are of one size: `image_files` checks the headers."""

    paths: tuple[Path, ...]
    size: Size

    @property
    def where(self) -> str:
        return str(self.paths[0].parent if len(self.paths) > 1 else self.paths[0])

    @property
    def frames(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[np.ndarray]:
        for path in self.paths:
            frame = read_image(path)
            if frame.shape[:2] != self.size:
                raise ValueError(f"{path}: {_wxh(frame.shape[:2])} where {_wxh(self.size)} was expected; replace it")
            yield frame


def image_files(paths: Sequence[Path]) -> ImageFiles:
    """A source of image files, after a check of every header.

    Raises:
        ValueError: a broken header, or two sizes among the files; one line.
    """
    size = image_size(paths[0])
    for path in paths[1:]:
        other = image_size(path)
        if other != size:
            raise ValueError(
                f"{path}: {_wxh(other)}, but {paths[0].name} beside it is {_wxh(size)}; a clip has frames of one size"
            )
    return ImageFiles(tuple(paths), size)


@dataclass(frozen=True)
class VideoFrames:
    """Frames start .. start + frames - 1 of a video file."""

    path: Path
    size: Size
    frames: int
    start: int = 0

    @property
    def where(self) -> str:
        return str(self.path)

    def __iter__(self) -> Iterator[np.ndarray]:
        return read_video(self.path, self.start, self.start + self.frames)


@dataclass(frozen=True)
class Wrapped:
    """The base of sources that make each frame from a frame of another source."""

    source: FrameSource

    @property
    def where(self) -> str:
        return self.source.where

    @property
    def frames(self) -> int:
        return self.source.frames


@dataclass(frozen=True)
class Mapped(Wrapped):
    """Each frame of another source passed through a function that gives frames of `size`."""

    function: Callable[[np.ndarray], np.ndarray]
    size: Size

    def __iter__(self) -> Iterator[np.ndarray]:
        for frame in self.source:
            yield self.function(frame)


@dataclass(frozen=True)
class Degraded(Wrapped):
    """The LR frames that a degradation of whole clips makes from GT frames, made anew at each iteration."""

    degradation: Seeded
    clip: str
    size: Size

    def __iter__(self) -> Iterator[np.ndarray]:
        yield from self.degradation.clip(self.source, self.clip)


def made_lr(degradation: Degradation, size: Size, gt: np.ndarray) -> np.ndarray:
    """The LR frame that a degradation of single frames makes.

    Raises:
        ValueError: it is not uint8 (*size, 3).
    """
    lr = degradation(gt)
    if lr.dtype != np.uint8 or lr.shape != (*size, 3):
        raise ValueError(
            f"degradation {degradation.name} made {lr.dtype} {lr.shape} from a GT frame of {gt.shape}; "
            f"it must make uint8 {(*size, 3)}"
        )
    return lr


@dataclass(frozen=True)
class Unreadable:
    """Frames that cannot be read; iteration raises the reason as a ValueError."""

    where: str
    frames: int = 0
    size: Size = (0, 0)

    def __iter__(self) -> Iterator[np.ndarray]:
        raise ValueError(self.where)


def cropped(source: FrameSource, size: Size) -> FrameSource:
    """The top left `size` of every frame; the source itself where that is the whole frame."""
    if size == source.size:
        return source
    height, width = size
    return Mapped(source, lambda frame: np.ascontiguousarray(frame[:height, :width]), size)


def first_frames(source: FrameSource, count: int) -> FrameSource:
    """The first `count` frames of images or of a video; ValueError for other sources that have more."""
    if source.frames <= count:
        return source
    if isinstance(source, ImageFiles):
        return replace(source, paths=source.paths[:count])
    if isinstance(source, VideoFrames):
        return replace(source, frames=count)
    raise ValueError(f"{source.where}: {source.frames} frames cannot be cut to {count}")


def some_frames(source: FrameSource, indices: range) -> Iterator[np.ndarray]:
    """The frames of consecutive indices. No other image files are read, and no other video frames turned into RGB."""
    if isinstance(source, ImageFiles):
        return iter(replace(source, paths=source.paths[indices.start : indices.stop]))
    if isinstance(source, VideoFrames):
        return iter(replace(source, start=source.start + indices.start, frames=len(indices)))
    if isinstance(source, Mapped):
        return map(source.function, some_frames(source.source, indices))
    return islice(source, indices.start, indices.stop)


def judged(source: FrameSource) -> list[np.ndarray]:
    """The frames of a source from which its degradation is estimated, see `frames.input_quality`."""
    if isinstance(source, VideoFrames):
        wanted = indices_to_judge(source.frames, video=True)
        return list(read_window(index_video(source.path), source.start + wanted.start, len(wanted)))
    return list(islice(source, len(indices_to_judge(source.frames, video=False))))


def files_of(source: FrameSource) -> tuple[Path, ...]:
    """The image files behind a source, one a frame; empty where the frames have no files of their own."""
    if isinstance(source, Wrapped):
        return files_of(source.source)
    return source.paths if isinstance(source, ImageFiles) else ()


def _wxh(size: Size) -> str:
    return f"{size[1]}x{size[0]}"
