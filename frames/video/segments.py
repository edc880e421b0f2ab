"""A video in segments that are encoded one after another and joined without encoding again.

Each segment begins with a key frame and refers to nothing outside itself, so a later process can make it. The times of
its frames and the order of its packets are stored beside its container.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import av
import numpy as np

from frames.codecs import Encoding
from frames.video.container import open_video
from frames.video.encode import Encoder, created, written
from frames.video.info import Format

SUFFIXES = {"prores": ".mov", "ffv1": ".mkv"}
"""Containers of segments by codec; .mp4 for the others."""


@dataclass(frozen=True)
class Segment:
    """One encoded segment of a video.

    times: when each frame is shown, increasing, in units of a time base that all segments share.
    order: for each packet in the order of the file, the index of its frame in `times`.
    """

    path: Path
    times: tuple[int, ...]
    order: tuple[int, ...]


class SegmentWriter:
    """Writes one segment, frame by frame.

    Args:
        path: with the suffix of `segment_suffix`.
        encoding: see `frames.codecs`.
        size: (height, width) of the frames.
        fps: the average rate.
        like: format of the source video; `time_base` is the unit of times.
    """

    def __init__(self, path: Path, encoding: Encoding, size: tuple[int, int], fps: Fraction, like: Format) -> None:
        self._path, self._stack = path, ExitStack()
        self._times: list[int] = []
        self._stack.enter_context(written(path))
        container = self._stack.enter_context(created(path, {"fflags": "+bitexact"}))
        self._encoder = Encoder(container, encoding.settings(*size, repeatable=True), size, fps, like, timed=True)

    @property
    def frames(self) -> int:
        return len(self._times)

    def add(self, frame: np.ndarray, time: int) -> None:
        """Encode one frame, uint8 or uint16 (H, W, 3) RGB; times increase strictly."""
        with written(self._path):
            self._encoder.add(frame, time)
        self._times.append(time)

    def close(self) -> Segment:
        """Finish the file, and return the segment."""
        with written(self._path):
            self._encoder.finish()
            self._stack.close()
        stamps = [packet.pts or 0 for packet in _packets(self._path)]
        ranks = {index: rank for rank, index in enumerate(sorted(range(len(stamps)), key=stamps.__getitem__))}
        return Segment(self._path, tuple(self._times), tuple(ranks[index] for index in range(len(stamps))))

    def abandon(self) -> None:
        """Close the file unfinished, unless it is closed; errors such as a full disk are ignored."""
        with suppress(OSError, ValueError):
            self._stack.close()


def segment_suffix(codec: str) -> str:
    """The suffix of a segment's file."""
    return SUFFIXES.get(codec, ".mp4")


def joined(segments: list[Segment], last: int) -> Iterator[av.Packet]:
    """The packets of all segments in order, with the time stamps of one video.

    Packet i is decoded when frame i - delay is shown, where delay is the largest reordering in any segment.

    Args:
        last: how long the last frame is shown, in the unit of the segments' times.
    """
    delay = max(index - rank for segment in segments for index, rank in enumerate(segment.order))
    shown = chain.from_iterable(segment.times for segment in segments)
    first = list(islice(chain.from_iterable(segment.times for segment in segments), delay + 1))
    if len(first) == delay + 1:
        early = [time - (first[delay] - first[0]) for time in first[:delay]]
    else:
        early = [first[0] - delay + index for index in range(delay)]
    decoded = chain(early, shown)
    for segment, following in zip(segments, [*segments[1:], None]):
        until = segment.times[-1] + last if following is None else following.times[0]
        ends = (*segment.times[1:], until)
        for packet, rank in zip(_packets(segment.path), segment.order, strict=True):
            packet.pts, packet.dts = segment.times[rank], next(decoded)
            packet.duration = ends[rank] - segment.times[rank]
            yield packet


def _packets(path: Path) -> Iterator[av.Packet]:
    with open_video(path) as (container, stream):
        for packet in container.demux(stream):
            if packet.size:
                yield packet
