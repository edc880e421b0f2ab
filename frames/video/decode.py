"""Decoding of videos frame by frame, with a report of missing frames."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from frames.errors import UserError
from frames.video.announced import Announced, announced_of
from frames.video.checksums import Checksums
from frames.video.clock import Clock, step_of
from frames.video.container import open_video
from frames.video.deep import scaled_up
from frames.video.orientation import upright

# Without the two flags flat colours come out up to 2.6 levels off, with them within 0.5.
EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class DamagedVideo(UserError, ValueError):
    """A video that is cut short or has damaged frames; raised after the frames that could be decoded."""


@dataclass(frozen=True)
class TimedFrame:
    """A frame, uint8 or uint16 (H, W, 3) RGB, with its time and duration in seconds; duration 0: unknown."""

    pixels: np.ndarray
    time: Fraction
    duration: Fraction = Fraction(0)


def read_video(path: str | Path, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
    """Yield frames start, start + 1, ..., stop - 1 (to the end without `stop`), one at a time.

    Frames before `start` are decoded and dropped: seeking by time is not exact in all containers.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no video in it, frames of different sizes, or it ends before `stop`; one line with the file's name.
        DamagedVideo: after the last frame, if some of those read are damaged or, without `stop`, if there are fewer
            than are announced.
    """
    path = Path(path)
    with open_video(path) as (container, stream):
        reader = Reader(path, container, stream)
        for index, frame in enumerate(reader.frames()):
            if stop is not None and index >= stop:
                break
            if index >= start:
                yield reader.rgb(frame)
        if stop is not None and reader.decoded < stop:
            raise ValueError(f"{path}: it ends after {reader.decoded} frames, {stop} were asked for; replace the file")
        complaint = reader.complaint(to_the_end=stop is None)
    if complaint:
        raise DamagedVideo(f"{path}: {complaint}; replace the file")


def read_timed(
    path: str | Path, deep: bool = False, start: int = 0, since: Fraction | None = None
) -> Iterator[TimedFrame]:
    """Yield all frames with their times, which increase strictly; errors as `read_video`.

    A frame without a time stamp follows at the average rate. Where time stamps jump back, the frame follows at the
    distance of the two before it, and later stamps are shifted by the same time.

    Args:
        deep: uint16 pixels, white is 65535, for videos of more than 8 bits a sample.
        start: number of frames to leave out at the beginning; they are decoded all the same.
        since: leave out frames that end before this time, in seconds.
    """
    path = Path(path)
    with open_video(path) as (container, stream):
        step = step_of(stream)
        reader, clock = Reader(path, container, stream), Clock(step)
        for frame in reader.frames():
            time = clock.time(reader.time)
            duration = frame.duration * (frame.time_base or Fraction(0))
            if reader.decoded > start and (since is None or time + (duration or step) > since):
                yield TimedFrame(reader.rgb(frame, deep), time, duration)
        complaint = reader.complaint(to_the_end=True)
    if complaint:
        raise DamagedVideo(f"{path}: {complaint}; replace the file")


class Reader:
    """Decodes a stream past damaged packets and counts the faults.

    `decoded` counts the frames yielded so far; `time` is that of the last one in seconds, None if unknown.

    AVI numbers its packets in the order of decoding and knows no other times. What FFmpeg makes of them goes to and fro
    where pictures are shown in another order (H.264, DivX with a packed bitstream). There, a frame is shown when the
    packet that made the decoder give it is decoded, less the packets that the decoder waited for at the beginning.
    """

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream) -> None:
        self._path, self._container, self._stream = path, container, stream
        self._announced: Announced = announced_of(path, container, stream)
        self._of_decoding = container.format.name == "avi"
        self._began: int | None = None  # decoding time of the first good packet
        self._delay: int | None = None  # from there to that of the first frame
        self.decoded = 0
        self.time: Fraction | None = None
        self._corrupt = self._corrupt_packets = self._broken_packets = self._discarded = 0
        self._packets_of_mpeg4 = 0  # some are no frame but say that the last one stays
        self._broke_off = False  # the container, inside the stream
        self._end = self._widest = Fraction(0)  # seconds
        self._last: Fraction | None = None
        stream.thread_type = "SLICE"  # threads over frames would lose good frames that follow a damaged one
        if stream.codec_context.name in ("png", "apng"):  # which else decode chunks whose checksum is wrong
            stream.codec_context.options = {"err_detect": "crccheck"}

    def frames(self) -> Iterator[av.VideoFrame]:
        """All frames that can be decoded, of one size.

        Raises:
            ValueError: none can be decoded, or one has another size than the first.
        """
        first = None
        for frame in self._decoded():
            if first is None:
                first = frame.width, frame.height
            elif (frame.width, frame.height) != first:
                raise ValueError(
                    f"{self._path}: frame {self.decoded} is {frame.width}x{frame.height}, those before it are "
                    f"{first[0]}x{first[1]}; cut the video where its size changes"
                )
            self._count(frame)
            yield frame
        if first is None:
            raise ValueError(f"{self._path}: no frame can be decoded; replace the file")

    def rgb(self, frame: av.VideoFrame, deep: bool = False) -> np.ndarray:
        """`to_rgb` of one of the frames.

        Raises:
            ValueError: its colours are not read, with the file's name: YCgCo, ICtCp, BT.2020 of constant luminance.
        """
        try:
            return to_rgb(frame, deep)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            raise ValueError(
                f"{self._path}: its colours ({frame.format.name}, matrix {int(frame.colorspace)} of ITU-T H.273) are "
                "not read; convert it first (ffmpeg's filter zscale=matrix=709)"
            ) from None

    def complaint(self, to_the_end: bool) -> str | None:
        """A message on faults of the frames decoded so far, or None; `to_the_end` also checks for missing frames."""
        complaints = []
        if self._corrupt or self._corrupt_packets or self._broken_packets:
            count = max(self._corrupt, self._corrupt_packets, self._broken_packets)
            complaints.append(f"{count} of its frames {'is' if count == 1 else 'are'} damaged")
        if self._broke_off:
            complaints.append(f"it breaks off after {self.decoded} frames")
        if to_the_end:
            found = max(self.decoded + self._discarded, self._packets_of_mpeg4)
            missing = self._announced.missing(found, self._end, self._widest)
            complaints += [missing] if missing else []
        return ", ".join(complaints) or None

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """All frames that can be decoded, errors skipped and counted."""
        mpeg4 = self._stream.codec_context.name == "mpeg4"
        checksums = Checksums() if self._stream.codec_context.name == "ffv1" else None
        for packet in self._packets():
            if packet.size == 0 and packet.pts is not None:  # the last frame stays: Theora
                continue
            self._packets_of_mpeg4 += mpeg4 and packet.size > 0
            self._discarded += packet.is_discard
            checked = checksums is None or packet.size == 0 or checksums.whole(bytes(packet))
            self._corrupt_packets += packet.is_corrupt or not checked
            try:
                decoded = packet.decode()
            except av.error.FFmpegError:
                self._broken_packets += 1
                continue
            self._began = packet.dts if self._began is None else self._began
            yield from decoded
        if self._broke_off:  # then no empty packet came to make the decoder give what it holds
            try:
                yield from self._stream.codec_context.decode(None)
            except av.error.FFmpegError:
                return

    def _packets(self) -> Iterator[av.Packet]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                yield next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:  # what came before it stays good
                self._broke_off = True
                return

    def _count(self, frame: av.VideoFrame) -> None:
        self.decoded += 1
        self._corrupt += frame.is_corrupt
        time = self.time = self._time(frame)
        if time is not None:
            if self._last is not None:
                self._widest = max(self._widest, time - self._last)
            self._last = time
            self._end = max(self._end, time + frame.duration * (frame.time_base or 0))

    def _time(self, frame: av.VideoFrame) -> Fraction | None:
        """Presentation time of a frame in seconds, or None if unknown."""
        stamp = frame.pts
        if self._of_decoding:
            stamp = frame.dts
            if stamp is not None:
                self._delay = stamp - (self._began or 0) if self._delay is None else self._delay
                stamp -= self._delay
        return None if stamp is None or frame.time_base is None else stamp * frame.time_base


def to_rgb(frame: av.VideoFrame, deep: bool = False) -> np.ndarray:
    """A decoded frame as uint8 (H, W, 3) RGB, upright; `deep`: uint16, white is 65535."""
    if deep:
        return upright(scaled_up(frame.to_ndarray(format="rgb48le", interpolation=EXACT), frame), frame)
    return upright(frame.to_ndarray(format="rgb24", interpolation=EXACT), frame)
