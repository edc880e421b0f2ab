"""Repair of time stamps that jump back, as in recordings that were concatenated."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.format import Flags
from av.video.stream import VideoStream

from frames.video.container import flagged, open_video, rate_of

BACK = Fraction(1, 2)  # seconds; streams that go back by less only stumble
REORDERED = 16  # pictures at most that are decoded between one and the next that is shown
NEAR = 1 << 22  # bytes; the first sound of a recording may lie so far before its first picture


class Clock:
    """Times of pictures that always increase. `shift` is the correction of the last time stamp, in seconds.

    Stamps that increase are kept. Where they jump back, the picture follows at the distance of the two before it, and
    the stamps after it are shifted by the same time.

    Args:
        step: seconds from one picture to the next where there is no time stamp.
    """

    def __init__(self, step: Fraction) -> None:
        self._step, self._distance = step, step
        self._time: Fraction | None = None
        self.shift = Fraction(0)

    def time(self, stamp: Fraction | None) -> Fraction:
        """The time of the next picture in seconds, from its time stamp; None if it has none."""
        before = self._time
        if before is None:
            self._time = stamp or Fraction(0)
            return self._time
        if stamp is None:
            self._time = before + self._step
        else:
            if stamp > before:
                self.shift = Fraction(0)
            elif stamp + self.shift <= before:
                self.shift = before + self._distance - stamp
            self._time = stamp + self.shift
        self._distance = self._time - before
        return self._time


def step_of(stream: VideoStream) -> Fraction:
    """Seconds from one picture to the next, on average."""
    return 1 / rate_of(stream)


class Shifts:
    """Corrections to the time stamps of other streams that keep them in step with pictures timed by `Clock`.

    In formats whose time stamps may jump, the file is searched for the places where those of the pictures do.
    """

    def __init__(self, path: Path, source: InputContainer) -> None:
        self._places, self._shifts = [0], [Fraction(0)]
        self._index: dict[int, int] = {}  # by stream, as `_last`
        self._last: dict[int, Fraction] = {}
        if flagged(source, Flags.ts_discont):
            self._look(path)

    def of(self, packet: av.Packet) -> Fraction:
        """The seconds to add to a packet's time stamps; packets must come in the order of the file."""
        stream, index = packet.stream.index, self._index.get(packet.stream.index, 0)
        stamp = packet.dts if packet.dts is not None else packet.pts
        if packet.pos is not None:
            index = max(index, bisect_right(self._places, packet.pos) - 1)
        if stamp is not None:
            time, following = stamp * packet.time_base, index + 1
            back = index == self._index.get(stream, 0) and time < self._last.get(stream, time) - BACK
            if back and packet.pos is not None and following < len(self._places):
                index += self._places[following] - packet.pos < NEAR
            self._last[stream] = time
        self._index[stream] = index
        return self._shifts[index]

    def _look(self, path: Path) -> None:
        with open_video(path) as (container, stream):
            clock = Clock(step_of(stream))
            for stamp, place in _stamps(container, stream):
                clock.time(stamp)
                if abs(clock.shift - self._shifts[-1]) > BACK:
                    self._places.append(place)
                    self._shifts.append(clock.shift)


def _stamps(container: InputContainer, stream: VideoStream) -> Iterator[tuple[Fraction, int]]:
    """Presentation time of each picture in seconds, and its place in the file, in the order of presentation."""
    waiting: list[tuple[Fraction, int]] = []
    last = Fraction(0)
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:  # the streams beside the pictures break off there as well
            packet = None
        decoded = None if packet is None or packet.dts is None else packet.dts * packet.time_base
        enough = REORDERED if decoded is not None and decoded > last - BACK else 0
        while len(waiting) > enough:
            yield heapq.heappop(waiting)
        if packet is None:
            return
        if packet.pts is not None and packet.pos is not None:
            heapq.heappush(waiting, (packet.pts * packet.time_base, packet.pos))
        last = last if decoded is None else decoded
