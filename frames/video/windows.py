"""Random access to the frames of a video, exact where its container allows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av.error
import numpy as np

from frames.video.container import broken, open_video
from frames.video.decode import Reader, to_rgb
from frames.video.orientation import upright_size

EXACT_SEEK = ("mov", "matroska")  # containers where seeking to a time stamp lands where it should; MPEG-PS does not


@dataclass(frozen=True)
class VideoIndex:
    """Where the frames of a video lie. `stamps` are their times in units of the stream, in order of showing; None
    where they cannot be sought."""

    path: Path
    frames: int
    height: int
    width: int
    stamps: tuple[int, ...] | None


def index_video(path: str | Path) -> VideoIndex:
    """List the packets of a video, which reads but does not decode it, and decode its first frame.

    Raises:
        FileNotFoundError, ValueError: one line with the file's name.
    """
    path = Path(path)
    with open_video(path) as (container, stream):
        try:
            stamps = [p.pts for p in container.demux(stream) if p.size and not p.is_discard]
        except av.error.FFmpegError as error:
            raise broken(path, error) from None
        seeks = container.format.name.startswith(EXACT_SEEK)
    with open_video(path) as (container, stream):
        height, width = upright_size(next(Reader(path, container, stream).frames()))
    known = [stamp for stamp in stamps if stamp is not None]
    exact = seeks and len(set(known)) == len(stamps)
    return VideoIndex(path, len(stamps), height, width, tuple(sorted(known)) if exact else None)


def read_window(index: VideoIndex, start: int, count: int) -> Iterator[np.ndarray]:
    """Yield frames start .. start + count - 1, fewer at the end: uint8 (H, W, 3) RGB, the same as a reading in order.

    Raises:
        ValueError: damaged within the window, or gone since it was indexed; one line with the file's name.
    """
    with open_video(index.path) as (container, stream):
        if index.stamps is not None and start:
            container.seek(index.stamps[min(start, index.frames - 1)], stream=stream)
        reader, given = Reader(index.path, container, stream), 0
        for frame in reader.frames():
            if index.stamps is None:
                before = reader.decoded <= start
            else:
                before = frame.pts is None or frame.pts < index.stamps[start]
            if before:
                continue
            yield to_rgb(frame)
            given += 1
            if given == count:
                break
        complaint = reader.complaint(to_the_end=False)
    if complaint:
        raise ValueError(f"{index.path}: {complaint}; replace the file")
