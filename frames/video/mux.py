"""Muxing of encoded pictures with the source's sound, subtitles and other tracks into one container."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from frames.atomic import replacing
from frames.video.carry import Carrier, OtherStreams, chapters, tags
from frames.video.container import open_video
from frames.video.encode import created, written
from frames.video.segments import Segment, joined
from frames.video.tracks import TIMECODE

QUICKTIME = "com.apple.quicktime."


def mux(
    output: Path,
    segments: list[Segment],
    time_base: Fraction,
    fps: Fraction,
    last: int,
    other_streams: OtherStreams | None,
    within: Path | None = None,
) -> list[str]:
    """Write a video from encoded segments; the suffix (.mp4, .mkv, .mov) names the container. Atomic.

    The same arguments give the same bytes.

    Args:
        time_base: the unit of the segments' times, in seconds.
        fps: the rate, an average where frames have times of their own.
        last: how long the last frame is shown, in that unit.
        other_streams: streams, chapters and tags to carry over; None: none.
        within: folder of the temporary file; see `frames.atomic.replacing`.
    Returns:
        Messages on streams that could not be read to their end.
    Raises:
        OSError, ValueError: the video cannot be written; one line with the file's name.
    """
    with ExitStack() as stack:
        temporary = stack.enter_context(replacing(output, within))
        stack.enter_context(written(output))
        source = original = None
        if other_streams is not None:
            source, original = stack.enter_context(open_video(other_streams.path))
        _, template = stack.enter_context(open_video(segments[0].path))
        options = _options(output.suffix.lower(), source.metadata if source else {})
        container = stack.enter_context(created(temporary, options))
        picture = _picture(container, template, time_base, fps)
        carrier = None
        if other_streams is not None and source is not None and original is not None:
            picture.metadata.update(tags(original.metadata))
            if other_streams.timecode:
                picture.metadata[TIMECODE] = other_streams.timecode
            picture.disposition = original.disposition & ~Disposition.attached_pic  # a cover may be all there is
            container.metadata.update(tags(source.metadata))
            carrier = Carrier(source, container, other_streams)
            container.set_chapters(chapters(source, other_streams))
        packets = carrier.packets() if carrier else iter(())
        pictures = _pictures(picture, joined(segments, last), time_base)
        for _, packet in heapq.merge(pictures, packets, key=lambda timed: timed[0]):
            container.mux_one(packet)
        return carrier.broken if carrier else []


def _options(suffix: str, source: dict[str, str]) -> dict[str, str]:
    options = {"fflags": "+bitexact"}  # else Matroska numbers its tracks at random
    if suffix != ".mkv":
        apples = any(name.startswith(QUICKTIME) for name in source)
        options["movflags"] = "+faststart" + "+use_metadata_tags" * apples
    return options


def _picture(container: OutputContainer, template: VideoStream, time_base: Fraction, fps: Fraction) -> VideoStream:
    """Add the video stream, with the codec settings of the segments."""
    stream = container.add_stream_from_template(template, opaque=True)
    stream.time_base = time_base
    stream.codec_context.framerate = fps  # else a time code and Matroska's readers take 1 / time_base for the rate
    if template.codec_context.name == "hevc" and container.format.name != "matroska":
        stream.codec_context.codec_tag = "hvc1"  # which Apple's players ask for
    return stream


def _pictures(
    stream: VideoStream, packets: Iterator[av.Packet], time_base: Fraction
) -> Iterator[tuple[Fraction, av.Packet]]:
    for packet in packets:
        packet.stream, packet.time_base = stream, time_base
        yield (packet.dts or 0) * time_base, packet
