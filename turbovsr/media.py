"""Files in and out: a video, an image or a folder of images, as uint8 (H, W, 3) RGB frames.

Video colours: tags choose the matrix and the range, untagged video is read as BT.601 limited, as every common decoder
does; what is written is H.264 tagged BT.709 limited. Sound is not carried over.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
VIDEOS = (".mp4", ".mkv", ".mov")  # that are written; whatever PyAV opens is read
EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
BT709 = 1  # matrix, primaries and transfer alike (ITU-T H.273)
LIMITED = 1


@dataclass(frozen=True)
class Source:
    """Frames to be read: `count` is None where the file does not say, `names` are those of image files."""

    frames: Callable[[], Iterator[np.ndarray]]
    count: int | None
    fps: Fraction | None  # None for images
    names: tuple[str, ...] = ()
    still: bool = False  # one image file


def open_source(path: Path) -> Source:
    """What is at `path`.

    Raises:
        FileNotFoundError, ValueError: one line that names the file.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder; give a video, an image or a folder of images")
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGES)
        if not files:
            raise ValueError(f"{path}: no images in it ({', '.join(IMAGES)})")
        names = tuple(file.stem for file in files)
        return Source(lambda: map(read_image, files), len(files), None, names if len(set(names)) == len(names) else ())
    if path.suffix.lower() in IMAGES:
        return Source(lambda: iter([read_image(path)]), 1, None, (path.stem,), still=True)
    with _video(path) as (_, stream):
        return Source(lambda: read_video(path), stream.frames or None, stream.average_rate or stream.guessed_rate)


def read_image(path: Path) -> np.ndarray:
    """One image; grey becomes RGB, alpha is dropped, 16 bits become 8."""
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path}: not a readable image; replace the file")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def read_video(path: Path) -> Iterator[np.ndarray]:
    """The frames of a video, upright, one at a time."""
    with _video(path) as (container, stream):
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            pixels = frame.to_ndarray(format="rgb24", interpolation=EXACT)
            yield np.rot90(pixels, round(frame.rotation / 90) % 4)  # phones tag instead of turning


@contextmanager
def _video(path: Path):
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{path}: there is no video in it; give a video, an image or a folder of images")
            yield container, container.streams.video[0]
    except av.error.FFmpegError as error:
        raise ValueError(f"{path}: not a readable video or image ({error.strerror or type(error).__name__})") from None


def write_image(path: Path, frame: np.ndarray) -> None:
    """Write an image in the format of the suffix; the file is whole or not there at all."""
    written, data = cv2.imencode(path.suffix, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    if not written:
        raise ValueError(f"{path}: the image could not be encoded; give a name that ends in .png")
    with _replacing(path) as temporary:
        temporary.write_bytes(data.tobytes())


def write_images(folder: Path, frames: Iterator[np.ndarray], names: tuple[str, ...]) -> None:
    """Write frames as PNG files into a folder, by their names where they have some, else numbered from 0."""
    for index, frame in enumerate(frames):
        write_image(folder / f"{names[index] if names else f'{index:08d}'}.png", frame)


def write_video(path: Path, frames: Iterator[np.ndarray], fps: Fraction) -> None:
    """Write H.264 at CRF 12, 4:2:0, or 4:4:4 where a side is odd, so that no pixel is lost; whole or not at all."""
    with _replacing(path) as temporary, av.open(str(temporary), "w") as container:
        stream = None
        for frame in frames:
            height, width = frame.shape[:2]
            if stream is None:
                stream = container.add_stream("libx264", rate=fps, options={"crf": "12"})
                stream.width, stream.height = width, height
                stream.pix_fmt = "yuv420p" if height % 2 == width % 2 == 0 else "yuv444p"
                context = stream.codec_context
                context.colorspace = context.color_primaries = context.color_trc = BT709
                context.color_range = LIMITED
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24").reformat(
                format=stream.pix_fmt,
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
                interpolation=EXACT,
            )
            picture.colorspace, picture.color_range = BT709, LIMITED
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode(None))


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place if all goes well, and is gone if not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
