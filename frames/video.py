"""Videos by PyAV. Frames are uint8 (H, W, 3) RGB, C-contiguous, full range.

Colour: a frame's tags choose the matrix (BT.601, BT.709, BT.2020, FCC, SMPTE 240M) and the range (limited, full). An
untagged frame is read as BT.601 limited, as every common decoder does, whatever its size. Transfer curves and primaries
are not touched: the numbers are those that the camera or the encoder wrote. Conversion runs with accurate rounding and
full chroma interpolation: without these two flags flat colours come out up to 2.6 levels off, with them within 0.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from frames.atomic import replacing
from frames.door import check_regular, pixels_complaint

EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
EXACT_IN = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
BT709 = 1  # the code of BT.709 for matrix, primaries and transfer alike (ITU-T H.273)
LIMITED = 1


@dataclass(frozen=True)
class VideoInfo:
    """Size in pixels of the upright picture, exact number of frames, average frames per second."""

    width: int
    height: int
    frames: int
    fps: float


def video_info(path: str | Path) -> VideoInfo:
    """What a video holds.

    The frame count is exact: where container and packets agree it is taken from them, else the video is decoded once
    (remembered for as long as the file does not change).

    Raises:
        FileNotFoundError, ValueError: one line with the file's name.
    """
    path = Path(path)
    status = check_regular(path, "video")
    return _video_info(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _video_info(path: Path, size: int, mtime: int) -> VideoInfo:
    with _opened(path) as container:
        stream = _video_stream(path, container)
        declared = stream.frames
        fps = float(stream.average_rate or stream.guessed_rate or 25)
        packets = sum(1 for packet in container.demux(stream) if packet.size and not packet.is_discard)
    with _opened(path) as container:
        decoder = container.decode(_video_stream(path, container))
        try:
            first = next(decoder, None)
            if first is None:
                raise ValueError(f"{path}: no frame can be decoded; replace the file")
            height, width = _upright_size(first)
            frames = packets if packets == declared else 1 + sum(1 for _ in decoder)
        except av.error.FFmpegError as error:
            raise _broken(path, error) from None
    return VideoInfo(width, height, frames, fps)


def read_video(path: str | Path, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
    """Yield frames start, start + 1, ..., stop - 1 (to the end without `stop`), one at a time.

    Frames before `start` are decoded and dropped: seeking by time is not exact in all containers.

    Raises:
        FileNotFoundError: no such file.
        ValueError: damaged, no video in it, or it ends before `stop`; one line with the file's name.
    """
    path = Path(path)
    check_regular(path, "video")
    with _opened(path) as container:
        stream = _video_stream(path, container)
        stream.thread_type = "AUTO"
        index = 0
        try:
            for frame in container.decode(stream):
                if stop is not None and index >= stop:
                    return
                if index >= start:
                    yield _to_rgb(frame)
                index += 1
        except av.error.FFmpegError as error:
            raise _broken(path, error) from None
    if stop is not None and index < stop:
        raise ValueError(f"{path}: it ends after {index} frames, {stop} were asked for; replace the file")


def write_video(path: str | Path, frames: Iterable[np.ndarray], fps: float, lossless: bool = False) -> None:
    """Write uint8 (H, W, 3) RGB frames as H.264; the suffix (.mp4, .mkv) names the container. Atomic.

    By default BT.709 limited range, tagged so, 4:2:0, CRF 12 (4:4:4 where a side is odd, so that no pixel is lost).
    `lossless`: RGB without loss; it reads back bit for bit.

    Raises:
        ValueError: no frames, or frames of different sizes.
    """
    path = Path(path)
    with replacing(path) as temporary:
        _encode(path, temporary, frames, Fraction(fps).limit_denominator(1001), lossless)


def _encode(path: Path, temporary: Path, frames: Iterable[np.ndarray], fps: Fraction, lossless: bool) -> None:
    shape = None
    with av.open(str(temporary), "w") as container:
        for frame in frames:
            if shape is None:
                shape = frame.shape
                stream = _h264_stream(container, shape, fps, lossless)
            elif frame.shape != shape:
                raise ValueError(f"{path}: frames of different sizes, {shape} and {frame.shape}")
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            if not lossless:
                picture = _to_bt709(picture, stream.pix_fmt)
            container.mux(stream.encode(picture))
        if shape is None:
            raise ValueError(f"{path}: there are no frames to write")
        container.mux(stream.encode(None))


def _h264_stream(container, shape: tuple[int, ...], fps: Fraction, lossless: bool):
    height, width = shape[:2]
    stream = container.add_stream("libx264rgb" if lossless else "libx264", rate=fps)
    stream.width, stream.height = width, height
    if lossless:
        stream.pix_fmt = "rgb24"
        stream.options = {"qp": "0", "preset": "veryfast"}
        return stream
    stream.pix_fmt = "yuv420p" if height % 2 == 0 and width % 2 == 0 else "yuv444p"
    stream.options = {"crf": "12", "preset": "medium"}
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = LIMITED
    return stream


def _to_bt709(picture: av.VideoFrame, pix_fmt: str) -> av.VideoFrame:
    converted = picture.reformat(
        format=pix_fmt,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=EXACT_IN,
    )
    converted.colorspace = BT709
    converted.color_range = LIMITED
    return converted


def _to_rgb(frame: av.VideoFrame) -> np.ndarray:
    pixels = frame.to_ndarray(format="rgb24", interpolation=EXACT)
    turns = _quarter_turns(frame)
    return np.ascontiguousarray(np.rot90(pixels, turns) if turns else pixels)


def _quarter_turns(frame: av.VideoFrame) -> int:
    """Quarter turns counter-clockwise that bring the picture upright (phones tag instead of turning)."""
    return round(frame.rotation / 90) % 4


def _upright_size(frame: av.VideoFrame) -> tuple[int, int]:
    return (frame.width, frame.height) if _quarter_turns(frame) % 2 else (frame.height, frame.width)


def _opened(path: Path):
    try:
        return av.open(str(path))
    except av.error.FFmpegError as error:
        raise _broken(path, error) from None


def _video_stream(path: Path, container):
    if not container.streams.video:
        raise ValueError(f"{path}: there is no video in it; give a video or a folder of frames")
    stream = container.streams.video[0]
    complaint = stream.width and pixels_complaint(stream.height, stream.width)
    if complaint:
        raise ValueError(f"{path}: {complaint}")
    return stream


def _broken(path: Path, error: Exception) -> ValueError:
    reason = getattr(error, "strerror", None) or type(error).__name__
    return ValueError(f"{path}: not a readable video ({reason}); replace the file")
