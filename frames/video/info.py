"""Facts about a video, with as little decoding as possible."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, cast

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from frames.door import check_regular
from frames.video.announced import announced_of
from frames.video.container import is_cover, open_video, rate_of
from frames.video.decode import Reader
from frames.video.orientation import orientation_of, upright_size

# Codes of ITU-T H.273.
UNSPECIFIED = 2
BT709 = 1  # matrix, primaries and transfer alike
BT2020 = 9  # primaries, and the matrix of non-constant luminance
TRANSFERS_OF_HDR = (16, 18)  # PQ (SMPTE ST 2084), HLG
SQUARE = Fraction(1)
FEW = 100  # frames that are decoded where the number of frames need not be exact
MOSTLY_PROGRESSIVE = 0.1  # share of interlaced frames; recordings often begin with progressive ones
BESIDE_PIXELS = {  # FFmpeg's side data of a frame -> what it is
    "A53_CC": "closed captions",
    "STEREO3D": "how the views of a 3D picture lie",
    "SPHERICAL": "the projection of a 360 degree picture",
    "MASTERING_DISPLAY_METADATA": "the mastering display of HDR",
    "CONTENT_LIGHT_LEVEL": "the light levels of HDR",
    "DYNAMIC_HDR_PLUS": "HDR10+",
    "DOVI_METADATA": "Dolby Vision",
}


@dataclass(frozen=True)
class Format:
    """Properties of a video beyond its size and rate. Codes are those of ITU-T H.273."""

    time_base: Fraction = Fraction(1, 90000)
    pixel_aspect: Fraction = SQUARE  # width over height of a pixel of the upright picture
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    bits: int = 8  # a sample
    interlaced: bool = False
    alpha: bool = False
    start: Fraction = Fraction(0)  # when the first frame is shown, in seconds
    clock: Fraction = Fraction(0)  # when the earliest stream begins, in seconds
    sound: int = 0  # number of streams of each kind, the upscaled video excepted
    subtitles: int = 0
    other_videos: int = 0
    chapters: int = 0
    beside_pixels: tuple[str, ...] = ()  # what the first frame has that no output keeps, in words


@dataclass(frozen=True)
class VideoInfo:
    """Size in pixels of the upright picture, exact number of frames that decode, average frames per second.

    `damage` is a message on missing or damaged frames, where packets and announced frames do not agree; else empty.
    """

    width: int
    height: int
    frames: int
    fps: float
    damage: str = ""
    format: Format = field(default=Format(), compare=False)


def video_info(path: str | Path, exact: bool = True) -> VideoInfo:
    """Read the size, frame count, rate and format of a video.

    The frame count is exact: where container and packets agree it is taken from them, else the video is decoded once.
    The result is remembered until the file changes.

    Args:
        exact: if false, packets are counted, damage is not looked for, and interlacing in the first frames alone.
    Raises:
        FileNotFoundError, ValueError: one line with the file's name.
    """
    path = Path(path)
    status = check_regular(path, "video")
    return _video_info(path, status.st_size, status.st_mtime_ns, exact)


@lru_cache(maxsize=256)
def _video_info(path: Path, size: int, mtime: int, exact: bool) -> VideoInfo:
    with open_video(path) as (container, stream):
        announced = announced_of(path, container, stream)
        fps = float(rate_of(stream))
        try:
            packets = sum(1 for packet in container.demux(stream) if packet.size and not packet.is_discard)
        except av.error.FFmpegError:
            packets = -1
    with open_video(path) as (container, stream):
        reader = Reader(path, container, stream)
        decoded = reader.frames()
        first = next(decoded)
        height, width = upright_size(first)
        form = _format(container, stream, first, reader.time or Fraction(0))
        whole = packets == announced.frames and not announced.truncated
        counted = whole or (packets > 0 and not exact)
        if not whole:
            looked_at = islice(decoded, FEW) if counted else decoded
            interlaced = form.interlaced + sum(bool(frame.interlaced_frame) for frame in looked_at)
            form = replace(form, interlaced=form.interlaced or interlaced > MOSTLY_PROGRESSIVE * reader.decoded)
        damage = "" if counted else reader.complaint(to_the_end=True) or ""
        return VideoInfo(width, height, packets if counted else reader.decoded, fps, damage, form)


def _format(container: InputContainer, stream: VideoStream, first: av.VideoFrame, start: Fraction) -> Format:
    aspect = stream.sample_aspect_ratio or SQUARE
    if orientation_of(first)[1] % 2:
        aspect = 1 / aspect
    components = first.format.components
    kinds = {data.type.name for data in cast(Any, first.side_data)}  # PyAV types it as if it held motion vectors alone
    if "stereo_mode" in stream.metadata:  # said by a tag, which `frames.video.tracks` looks after
        kinds.discard("STEREO3D")
    return Format(
        time_base=stream.time_base or Fraction(1, 90000),
        pixel_aspect=aspect,
        primaries=int(first.color_primaries),
        transfer=int(first.color_trc),
        bits=max((component.bits for component in components), default=8),
        interlaced=bool(first.interlaced_frame),
        # FFmpeg's own decoders of VP8 and VP9 leave out the alpha that WebM has beside the picture
        alpha=any(component.is_alpha for component in components) or stream.metadata.get("alpha_mode") == "1",
        start=start,
        clock=Fraction(container.start_time or 0, av.time_base),
        sound=len(container.streams.audio),
        subtitles=len(container.streams.subtitles),
        other_videos=sum(not is_cover(other) for other in container.streams.video if other.index != stream.index),
        chapters=len(container.chapters()),
        beside_pixels=tuple(what for kind, what in BESIDE_PIXELS.items() if kind in kinds),
    )
