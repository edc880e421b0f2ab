"""Copying of sound, subtitles, covers, chapters and tags of a video into another container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, cast

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.format import Flags
from av.stream import Stream
from av.subtitles.stream import SubtitleStream

from frames.video.clock import Shifts
from frames.video.container import flagged
from frames.video.sound import Sound
from frames.video.texts import ASS_HEADER, encoded, plain
from frames.video.tracks import AAC, COPY, COVERS, MOV_TEXT, SUBRIP, TIMECODE, Track

NO_TEXT = b"\0\0"
MILLISECOND = Fraction(1, 1000)
PRIMING = Fraction(1, 8)  # seconds at most of the samples that an encoder of sound puts before the first one
# FFmpeg ends a text of MP4 when the number of another stream's time, whatever its unit, is beyond the text's own: this
# is at least as fine as those of sound and pictures. Much finer, hours without a text would be more than 31 bits hold.
TEXT_UNIT = Fraction(1, 120_000)
# Tags that say how the source was stored, not what it is; the time code is handled by itself.
STORAGE = ("major_brand", "minor_version", "compatible_brands", "encoder", "rotate", "vendor_id", TIMECODE)
STORAGE_PREFIXES = ("_statistics", "number_of_", "bps", "duration", "alpha_mode")


@dataclass(frozen=True)
class OtherStreams:
    """The tracks, chapters and part of a source video that its output takes over.

    Args:
        path: of the video.
        tracks: see `frames.video.tracks`.
        zero: the time in the source, in seconds, at which the output begins.
        seconds: length of the part after `zero`; None: to the end.
        chapters: whether chapters are carried over.
        timecode: of the first picture, such as 01:00:00:00; MP4 and MOV hold it as a track; empty: none.
    """

    path: Path
    tracks: tuple[Track, ...]
    zero: Fraction
    seconds: Fraction | None = None
    chapters: bool = True
    timecode: str = ""


def tags(given: dict[str, str]) -> dict[str, str]:
    """The tags of a source that hold for the output as well."""
    return {
        name: text
        for name, text in given.items()
        if name.lower() not in STORAGE and not name.lower().startswith(STORAGE_PREFIXES)
    }


def chapters(source: InputContainer, other_streams: OtherStreams) -> list[Any]:
    """The chapters that overlap the part of the source that is carried over, with times of the output."""
    kept = []
    for chapter in source.chapters() if other_streams.chapters else ():
        unit = chapter["time_base"] or MILLISECOND
        begin, end = (chapter[name] - round(other_streams.zero / unit) for name in ("start", "end"))
        if end > 0 and (other_streams.seconds is None or begin * unit < other_streams.seconds):
            last = end if other_streams.seconds is None else min(end, round(other_streams.seconds / unit))
            kept.append({**chapter, "start": max(begin, 0), "end": last, "time_base": unit})
    return kept


class Carrier:
    """Copies streams of an open video into another container; the constructor adds them there.

    `broken` holds messages on streams that could not be read to their end, once `packets` is exhausted.
    """

    def __init__(self, source: InputContainer, container: OutputContainer, other_streams: OtherStreams) -> None:
        self._source, self._other_streams = source, other_streams
        self._shifts = Shifts(other_streams.path, source) if other_streams.tracks else None
        self._trimmed: dict[int, bool] = {}  # by stream: an edit list cuts off its beginning
        self._strict = not flagged(container, Flags.ts_nonstrict)
        self.broken: list[str] = []
        self._writers = {}
        for track in other_streams.tracks:
            stream = source.streams[track.index]
            writer = _added(stream, source, container, track)
            if writer is not None:
                self._writers[stream.index] = writer

    def packets(self) -> Iterator[tuple[Fraction, av.Packet]]:
        """All packets with their times in seconds, roughly in order of time, and strictly in order in each stream."""
        time = Fraction(0)
        last: dict[int, Fraction] = {}
        for packet in self._read():
            for given in self._writers[packet.stream.index].packets(packet):
                _put_after(given, last, self._strict)
                if given.pts is not None or given.dts is not None:
                    time = (given.dts if given.dts is not None else given.pts or 0) * given.time_base
                yield time, given

    def _read(self) -> Iterator[av.Packet]:
        """Packets of the part that is carried over, with times of the output, and an empty one after each stream."""
        streams = [self._source.streams[index] for index in self._writers]
        packets = self._source.demux(streams) if streams else iter(())
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                self.broken.append(f"{self._other_streams.path}: its sound or subtitles break off ({error.strerror})")
                return
            if packet.size == 0 or self._moved(packet):
                yield packet

    def _moved(self, packet: av.Packet) -> bool:
        """Change a packet's times to those of the output; returns whether it is in the part that is carried over."""
        added = self._shifts.of(packet) if self._shifts else Fraction(0)
        shift = round((self._other_streams.zero - added) / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        if self._cut_off(packet):
            return False
        if self._other_streams.seconds is None or packet.pts is None:
            return True
        ends = (packet.pts + (packet.duration or 0)) * packet.time_base
        return ends > 0 and packet.pts * packet.time_base < self._other_streams.seconds

    def _cut_off(self, packet: av.Packet) -> bool:
        """Whether an edit list hides a packet that no other container would.

        The packet right before the beginning is kept, for decoders need it, and so is an encoder's priming.
        """
        if not packet.is_discard or packet.pts is None:
            return False
        trimmed = self._trimmed.setdefault(packet.stream.index, packet.pts * packet.time_base < -PRIMING)
        return trimmed and packet.pts + 2 * (packet.duration or 0) <= 0


def _put_after(packet: av.Packet, last: dict[int, Fraction], strict: bool) -> None:
    """Delay a packet whose decoding time is before that of the last one in its stream.

    Args:
        last: decoding time of the last packet of each stream, in seconds; updated.
        strict: the container takes no two packets with one time, except subtitles.
    """
    if packet.dts is None:
        return
    index, apart = packet.stream.index, Fraction(0)
    if strict and packet.stream.type != "subtitle":
        apart = max(packet.time_base, packet.stream.time_base or packet.time_base)
    least = ceil((last[index] + apart) / packet.time_base) if index in last else packet.dts
    if packet.dts < least:
        packet.dts = least
        packet.pts = packet.pts if packet.pts is None else max(packet.pts, least)
    last[index] = packet.dts * packet.time_base


def _added(
    stream: Stream, source: InputContainer, container: OutputContainer, track: Track
) -> _CopiedStream | _ConvertedSubtitles | Sound | None:
    if track.kind == "attachment":
        container.add_stream_from_template(stream)
        return None
    if track.kind == "cover":
        return _cover(stream, source, container)
    writer: _CopiedStream | _ConvertedSubtitles | Sound
    if track.codec == COPY:
        writer = _CopiedStream(stream, container)
    elif track.codec == AAC:
        writer = Sound(stream, container)
    else:
        writer = _ConvertedSubtitles(stream, container, track.codec)
    writer.out.metadata.update(tags(stream.metadata))
    writer.out.disposition = stream.disposition
    return writer


def _cover(stream: Stream, source: InputContainer, container: OutputContainer) -> _CopiedStream | None:
    if container.format.name != "matroska":
        writer = _CopiedStream(stream, container)
        writer.out.disposition = stream.disposition
        return writer
    name, kind = COVERS[stream.codec_context.name]
    picture = next(packet for packet in source.demux(stream) if packet.size)
    container.add_attachment(name, kind, bytes(picture))
    source.seek(0)
    return None


class _CopiedStream:
    """A stream that is copied unchanged."""

    def __init__(self, stream: Stream, container: OutputContainer) -> None:
        self.out = container.add_stream_from_template(stream, opaque=True)
        self._texts = stream.type == "subtitle" and stream.codec_context.name == MOV_TEXT

    def packets(self, packet: av.Packet) -> Iterator[av.Packet]:
        gap = self._texts and bytes(packet) == NO_TEXT  # which MP4 puts between subtitles by itself
        if packet.size and not gap:
            packet.stream = self.out
            yield packet


class _ConvertedSubtitles:
    """Text subtitles that are converted to another codec."""

    def __init__(self, stream: Stream, container: OutputContainer, codec: str) -> None:
        self._from, self._to = stream.codec_context.name, codec
        if codec == MOV_TEXT:
            self.out: Stream = cast(SubtitleStream, container.add_stream(MOV_TEXT))
            context = self.out.codec_context
            context.subtitle_header, context.time_base = ASS_HEADER, TEXT_UNIT
        else:
            self.out = container.add_mux_stream(SUBRIP)

    def packets(self, packet: av.Packet) -> Iterator[av.Packet]:
        text = plain(bytes(packet), self._from) if packet.size else ""
        if text and packet.pts is not None:
            made = av.Packet(encoded(text, self._to))
            made.stream, made.time_base = self.out, packet.time_base
            made.pts = made.dts = packet.pts
            made.duration = packet.duration
            yield made
