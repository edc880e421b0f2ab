"""Videos out: H.264."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from frames.atomic import replacing
from frames.video.info import BT709, BT2020, SQUARE, UNSPECIFIED, Format

WRITTEN_SUFFIXES = (".mp4", ".mkv", ".mov")
EXACT_IN = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
LIMITED = 1
MAX_FPS = Fraction(1000)
MAX_EDGE = 16384  # of H.264 as x264 writes it


def write_video(
    path: str | Path,
    frames: Iterable[np.ndarray],
    fps: float | Fraction,
    lossless: bool = False,
    times: Iterable[Fraction] | None = None,
    like: Format | None = None,
) -> None:
    """Write uint8 (H, W, 3) RGB frames as H.264; the suffix (.mp4, .mkv, .mov) names the container. Atomic.

    By default BT.709 limited range, tagged so, 4:2:0, CRF 12 (4:4:4 where a side is odd, so that no pixel is lost).
    `lossless`: RGB without loss; it reads back bit for bit.

    Args:
        times: when each frame is shown, in seconds, increasing strictly; the first becomes 0. None: at constant `fps`.
        like: of the video that the frames come from: its pixel aspect ratio, its primaries and transfer where they are
            tagged, and its time base are kept; BT.2020 primaries bring the matrix of BT.2020.
    Raises:
        ValueError: no frames, frames of different sizes or too large for H.264, or a rate that cannot be written.
        OSError: the system does not let it be written.
    """
    path = Path(path)
    rate = Fraction(fps).limit_denominator(1001)
    if not 0 < rate <= MAX_FPS:
        raise ValueError(f"{path}: {fps} frames a second cannot be written; give a rate above 0, at most {MAX_FPS}")
    with replacing(path) as temporary:
        try:
            with _created(temporary) as container:
                _Writer(path, container, rate, lossless, like or Format()).write(frames, times)
        except av.error.FFmpegError as error:
            if isinstance(error, OSError) and error.errno in errno.errorcode:  # the system's word, such as a full disk
                raise OSError(error.errno, error.strerror, str(path)) from error
            reason = error.strerror or type(error).__name__
            raise ValueError(f"{path}: the video cannot be written ({reason})") from error


class _Writer:
    """One H.264 stream in an open container."""

    def __init__(self, path: Path, container: OutputContainer, fps: Fraction, lossless: bool, like: Format) -> None:
        self._path, self._container, self._fps, self._lossless, self._like = path, container, fps, lossless, like
        self._matrix = BT2020 if like.primaries == BT2020 else BT709

    def write(self, frames: Iterable[np.ndarray], times: Iterable[Fraction] | None) -> None:
        stream = shape = start = None
        clock = None if times is None else iter(times)
        for frame in frames:
            if stream is None:
                shape, stream = frame.shape, self._stream(frame.shape, timed=clock is not None)
            elif frame.shape != shape:
                raise ValueError(f"{self._path}: frames of different sizes, {shape} and {frame.shape}")
            picture = self._picture(frame, stream)
            if clock is not None:
                time = next(clock)
                start = time if start is None else start
                picture.time_base = self._like.time_base
                picture.pts = round((time - start) / self._like.time_base)
            self._container.mux(stream.encode(picture))
        if stream is None:
            raise ValueError(f"{self._path}: there are no frames to write")
        self._container.mux(stream.encode(None))

    def _stream(self, shape: tuple[int, ...], timed: bool) -> VideoStream:
        height, width = shape[:2]
        if max(height, width) > MAX_EDGE:
            raise ValueError(
                f"{self._path}: {width}x{height} is more than H.264 holds ({MAX_EDGE} a side); write a folder of images"
            )
        stream = self._container.add_stream("libx264rgb" if self._lossless else "libx264", rate=self._fps)
        stream.width, stream.height = width, height
        context = stream.codec_context
        if self._like.pixel_aspect != SQUARE:
            context.sample_aspect_ratio = self._like.pixel_aspect
        if timed:
            context.time_base = self._like.time_base
        if self._lossless:
            stream.pix_fmt = "rgb24"
            stream.options = {"qp": "0", "preset": "veryfast"}
            return stream
        stream.pix_fmt = "yuv420p" if height % 2 == 0 and width % 2 == 0 else "yuv444p"
        stream.options = {"crf": "12", "preset": "medium"}
        context.colorspace, context.color_range = self._matrix, LIMITED
        context.color_primaries = _tagged(self._like.primaries)
        context.color_trc = _tagged(self._like.transfer)
        return stream

    def _picture(self, frame: np.ndarray, stream: VideoStream) -> av.VideoFrame:
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        if self._lossless:
            return picture
        converted = picture.reformat(
            format=stream.pix_fmt,
            dst_colorspace=Colorspace(self._matrix),
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=EXACT_IN,
        )
        converted.colorspace, converted.color_range = self._matrix, LIMITED
        return converted


@contextmanager
def _created(path: Path) -> Iterator[OutputContainer]:
    """The container to write, named by its suffix. A path that is no text (bytes of another encoding) is opened here:
    FFmpeg takes text alone."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        form = {".mkv": "matroska"}.get(path.suffix.lower(), path.suffix.lower()[1:])
        with open(path, "wb") as file, av.open(file, "w", format=form) as container:
            yield container
    else:
        with av.open(f"file:{path}", "w") as container:
            yield container


def _tagged(code: int) -> int:
    return BT709 if code in (0, UNSPECIFIED) else code
