"""Opening of video files within the limits of `frames.door`, with demuxers of video files only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, cast

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.format import Flags
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from frames.door import check_regular, open_regular, pixels_complaint
from frames.video.structure import truncation

# A playlist or a script with a video's name (HLS, DASH, concat, SDP) would make FFmpeg open what it lists.
DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,yuv4mpegpipe,gif,apng,flv,asf,ogg,mxf,h264,"
    "hevc,vvc,av1,obu,ivf,nut,dv,rm"
)
PLAUSIBLE_RATE = 1000  # frames a second at most
# Gigabytes of zeros inside a file keep FFmpeg searching for the next packet for minutes.
PATIENCE_S = 30.0  # of opening, and of reading one packet; a busy machine may pause for seconds
_OPTIONS = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a container and its first video stream that is not a cover picture; closed after the block.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a regular file, not a video, no decoder for it, a photograph in tiles, or frames larger than
            `frames.door` allows; one line with the file's name.
    """
    check_regular(path, "video")
    try:
        container = av.open(_target(path), "r", options=_OPTIONS, metadata_errors="replace", timeout=PATIENCE_S)
    except (av.error.FFmpegError, OSError) as error:
        raise broken(path, error) from None
    with container:
        if not container.streams.video:
            raise ValueError(f"{path}: there is no video in it; give a video or a folder of frames")
        stream = next((s for s in container.streams.video if not is_cover(s)), container.streams.video[0])
        if stream.codec_context is None:
            raise ValueError(f"{path}: there is no decoder for its video; convert it to H.264 or FFV1 first")
        if stream.disposition & Disposition.dependent:  # each tile is a stream
            raise ValueError(f"{path}: a photograph in tiles (HEIC, AVIF), which is not read; convert it to PNG first")
        complaint = pixels_complaint(stream.height, stream.width) if stream.width else None
        if complaint:
            raise ValueError(f"{path}: {complaint}")
        yield container, stream


def rate_of(stream: VideoStream) -> Fraction:
    """Frames a second, on average.

    For raw DV FFmpeg gives the unit of the time stamps, 1/60000 s, as the average; its guess is right there.
    """
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return stream.guessed_rate or rate if rate > PLAUSIBLE_RATE else rate


def flagged(container: InputContainer | OutputContainer, flag: Flags) -> bool:
    """Whether the container's format has one of FFmpeg's flags."""
    return bool(container.format.flags & cast(int, flag.value))


def is_cover(stream: Stream) -> bool:
    """Whether a video stream is a picture attached to the file, such as the cover of a film."""
    return bool(stream.disposition & Disposition.attached_pic)


def broken(path: Path, error: Exception) -> ValueError:
    """A ValueError for a file that FFmpeg cannot read; if it is empty or truncated, that is the reason given."""
    reason = getattr(error, "strerror", None) or type(error).__name__
    with suppress(OSError, ValueError):
        if not check_regular(path).st_size:
            reason = "it is empty"
        elif truncation(path):
            reason = "it is truncated, and what tells where its frames are is lost"
    return ValueError(f"{path}: not a readable video ({reason}); replace the file")


def _target(path: Path) -> str | BinaryIO:
    """The name to give FFmpeg, or an open file where the name is not UTF-8.

    The prefix keeps FFmpeg from taking the beginning of a name such as `concat:a` for a protocol.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return open_regular(path, "video")
    return f"file:{path}"
