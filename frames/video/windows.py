"""Random access to the frames of a video, exact where its container allows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np

from frames.video.container import broken, open_video
from frames.video.decode import Reader
from frames.video.orientation import upright_size

EXACT_SEEK = ("mov", "matroska")  # containers where seeking to a time stamp lands where it should; MPEG-PS does not
STEPS_BACK = (0, 64, 512)  # frames before the wanted one that are sought in turn; encoders put 12 to 300 in a group


@dataclass(frozen=True)
class VideoIndex:
    """Number, size and time stamps of a video's frames.

    `stamps` are in units of the stream and increase; None where the video cannot be sought exactly.
    """

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
    """Yield frames start .. start + count - 1, fewer at the end: uint8 (H, W, 3) RGB, equal to those read in order.

    A key frame is not always a place where decoding can begin: frames shown before it may follow it in the file (open
    groups of pictures), and a picture that is refreshed bit by bit is whole only later. Where decoding does not give
    frame `start` first, reading begins further back, at last at the beginning of the file.

    Raises:
        ValueError: damaged within the window, or gone since it was indexed; one line with the file's name.
    """
    if count < 1 or start >= index.frames:
        return
    sought = [start - back for back in STEPS_BACK if back < start] if index.stamps is not None else []
    for place in sought:
        with suppress(_Missed):
            yield from _read(index, place, start, count)
            return
    yield from _read(index, 0, start, count)


class _Missed(Exception):
    """Decoding began too late for the wanted frames; none has been yielded."""


def _read(index: VideoIndex, place: int, start: int, count: int) -> Iterator[np.ndarray]:
    """Yield the frames of `read_window`, decoded from the key frame of frame `place` on.

    Raises:
        _Missed: that is too late for the first one.
    """
    with open_video(index.path) as (container, stream):
        if index.stamps is not None and place:
            container.seek(index.stamps[min(place, index.frames - 1)], stream=stream)
        reader, given = Reader(index.path, container, stream), 0
        try:
            for frame in reader.frames():
                if _is_before(index, start, frame, reader.decoded):
                    continue
                if place and not given and index.stamps is not None and frame.pts != index.stamps[start]:
                    raise _Missed
                yield reader.rgb(frame)
                given += 1
                if given == count:
                    break
        except ValueError:
            if place and not reader.decoded:  # none of the last frames can be decoded from there
                raise _Missed from None
            raise
        complaint = reader.complaint(to_the_end=False)
    if complaint:
        raise ValueError(f"{index.path}: {complaint}; replace the file")
    if place and not given:
        raise _Missed


def _is_before(index: VideoIndex, start: int, frame: av.VideoFrame, decoded: int) -> bool:
    """Whether a frame, the `decoded`-th, is shown before frame `start`."""
    if index.stamps is None:
        return decoded <= start
    return frame.pts is None or frame.pts < index.stamps[start]
