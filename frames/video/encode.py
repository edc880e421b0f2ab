"""Encoding of frames to a video."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import av.error
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from frames.atomic import replacing
from frames.codecs import Encoding, Settings
from frames.video.deep import BAND, reduced, scaled_down
from frames.video.info import BT709, BT2020, SQUARE, UNSPECIFIED, Format

WRITTEN_SUFFIXES = (".mp4", ".mkv", ".mov")
EXACT_IN = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
LIMITED = 1
UNORDERED = 2  # up to this many frames are coded in the order in which they are shown
MAX_FPS = Fraction(1000)
MOST_OF_AV1 = Fraction(240)  # frames a second that SVT-AV1 takes; it only distributes bits by them
DEFAULT = Encoding("h264", quality=12)
LOSSLESS = Settings("libx264rgb", "rgb24", {"qp": "0", "preset": "veryfast"}, rgb=True)


def write_video(path: str | Path, frames: Iterable[np.ndarray], fps: float | Fraction, lossless: bool = False) -> None:
    """Write uint8 (H, W, 3) RGB frames as H.264; the suffix (.mp4, .mkv, .mov) names the container. Atomic.

    By default BT.709 limited range, tagged so, 4:2:0, CRF 12 (4:4:4 where a side is odd, so that no pixel is lost).
    `lossless`: RGB without loss; it reads back bit for bit.

    Raises:
        ValueError: no frames, frames of different sizes or too large for H.264, or a rate that cannot be written.
        OSError: a system error, such as a full disk.
    """
    path = Path(path)
    rate = Fraction(fps).limit_denominator(1001)
    if not 0 < rate <= MAX_FPS:
        raise ValueError(f"{path}: {fps} frames a second cannot be written; give a rate above 0, at most {MAX_FPS}")
    with replacing(path) as temporary, written(path), created(temporary) as container:
        encoder = shape = None
        for frame in frames:
            if encoder is None:
                shape = frame.shape
                height, width = shape[:2]
                complaint = DEFAULT.size_complaint(height, width)
                if complaint:
                    raise ValueError(f"{path}: {complaint}; write a folder of images")
                settings = LOSSLESS if lossless else DEFAULT.settings(height, width)
                encoder = Encoder(container, settings, (height, width), rate, Format(), timed=False)
            elif frame.shape != shape:
                raise ValueError(f"{path}: frames of different sizes, {shape} and {frame.shape}")
            encoder.add(frame)
        if encoder is None:
            raise ValueError(f"{path}: there are no frames to write")
        encoder.finish()


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Turn FFmpeg's errors in the block into errors with the file's name.

    Raises:
        OSError: a system error, such as a full disk.
        ValueError: any other error of FFmpeg, in one line.
    """
    try:
        yield
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and error.errno in errno.errorcode:
            raise OSError(error.errno, error.strerror, str(path)) from error
        reason = error.strerror or type(error).__name__
        raise ValueError(f"{path}: the video cannot be written ({reason})") from error


class Encoder:
    """Encodes frames into a video stream of an open container.

    Args:
        settings: see `frames.codecs`.
        size: (height, width) of the frames, in pixels.
        fps: the rate, an average where frames come with their times.
        like: format of the source video, whose pixel aspect ratio, time base and, where tagged, primaries and transfer
            are kept; BT.2020 primaries bring the matrix of BT.2020.
        timed: frames come with their times, in units of `like.time_base`.
    """

    def __init__(
        self,
        container: OutputContainer,
        settings: Settings,
        size: tuple[int, int],
        fps: Fraction,
        like: Format,
        timed: bool,
    ) -> None:
        self._container, self._settings, self._like = container, settings, like
        self._matrix = BT2020 if like.primaries == BT2020 else BT709
        self._count = 0
        rate = min(fps, MOST_OF_AV1) if timed and settings.encoder == "libsvtav1" else fps
        stream = self._stream = cast(VideoStream, container.add_stream(settings.encoder, rate=rate))
        stream.height, stream.width = size
        stream.pix_fmt, stream.options = settings.pixel_format, dict(settings.options)
        context = stream.codec_context
        if like.pixel_aspect != SQUARE:
            context.sample_aspect_ratio = like.pixel_aspect
        if timed:
            context.time_base = like.time_base
        if settings.rgb:
            context.color_primaries, context.color_trc = like.primaries, like.transfer
        else:
            context.colorspace, context.color_range = self._matrix, LIMITED
            context.color_primaries = _tagged(like.primaries)
            context.color_trc = _tagged(like.transfer)

    def add(self, frame: np.ndarray, time: int | None = None) -> None:
        """Encode one frame, uint8 or uint16 (H, W, 3) RGB; `time` in units of `like.time_base`."""
        picture = self._picture(frame)
        if time is not None:
            picture.time_base, picture.pts = self._like.time_base, time
        self._count += 1
        self._container.mux(self._stream.encode(picture))

    def finish(self) -> None:
        """Write the packets that the encoder still holds."""
        packets = self._stream.encode(None)
        if self._count <= UNORDERED:  # x265 leaves the decoding time of a single frame to chance
            for packet in packets:
                packet.dts = packet.pts
        self._container.mux(packets)

    def _picture(self, frame: np.ndarray) -> av.VideoFrame:
        if self._settings.rgb:
            return self._rgb(frame)
        converted = _packed(frame).reformat(
            format=self._settings.pixel_format,
            dst_colorspace=Colorspace(self._matrix),
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=EXACT_IN,
        )
        converted.colorspace, converted.color_range = self._matrix, LIMITED
        converted.color_primaries = _tagged(self._like.primaries)  # ProRes takes its tags from the frames
        converted.color_trc = _tagged(self._like.transfer)
        return converted

    def _rgb(self, frame: np.ndarray) -> av.VideoFrame:
        """A picture in the stream's RGB format, with no conversion but that of the bit depth."""
        form = self._settings.pixel_format
        bits = {"gbrp10le": 10, "gbrp16le": 16}.get(form)
        if bits is None:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            return picture if form == "rgb24" else picture.reformat(format=form)
        deep = frame if frame.dtype == np.uint16 else frame.astype(np.uint16) * 257
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(reduced(deep, bits)), format=form)


def _packed(frame: np.ndarray) -> av.VideoFrame:
    """Copy pixels, once, into a frame of FFmpeg's; those of 16 bits as its scaler expects them."""
    height, width = frame.shape[:2]
    deep = frame.dtype == np.uint16
    picture = av.VideoFrame(width, height, "rgb48le" if deep else "rgb24")
    plane, size = picture.planes[0], frame.itemsize
    pixels = np.ndarray(frame.shape, frame.dtype, buffer=memoryview(plane), strides=(plane.line_size, 3 * size, size))
    for top in range(0, height, BAND):
        band = frame[top : top + BAND]
        band = scaled_down(band) if deep else band
        for colour in range(3):  # several times as fast as all of them at once where frames are planar
            pixels[top : top + BAND, :, colour] = band[..., colour]
    return picture


@contextmanager
def created(path: Path, options: dict[str, str] | None = None) -> Iterator[OutputContainer]:
    """Open a container for writing, in the format of its suffix.

    A path that is not UTF-8 is opened here, because FFmpeg takes only text.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        form = {".mkv": "matroska"}.get(path.suffix.lower(), path.suffix.lower()[1:])
        with open(path, "wb") as file, av.open(file, "w", format=form, options=options or {}) as container:
            yield container
    else:
        with av.open(f"file:{path}", "w", options=options or {}) as container:
            yield container


def _tagged(code: int) -> int:
    return BT709 if code in (0, UNSPECIFIED) else code
