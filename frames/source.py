"""A video, an image or a folder of images as one stream of frames, uint8 or uint16 (H, W, 3) RGB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from frames.door import check_regular
from frames.headers import Header
from frames.images import image_header, image_size, read_image
from frames.listing import IMAGE_SUFFIXES, VIDEO_SUFFIXES, entries, images_in, is_image
from frames.video import TimedFrame, read_timed, video_info
from frames.video.info import Format


@dataclass(frozen=True)
class Source:
    """The frames of a video, an image or a folder of images, read while `frames()` or `timed()` is iterated.

    Each call reads anew. `frames(True)` gives uint16, white is 65535. `timed` is None for images, and takes the options
    of `frames.video.read_timed`. `names` are those of image files, without suffix; empty where two differ at most in
    case.
    """

    size: tuple[int, int]  # (height, width) in pixels
    count: int
    frames: Callable[..., Iterator[np.ndarray]]
    timed: Callable[..., Iterator[TimedFrame]] | None = None
    fps: Fraction | None = None  # the average; None for images
    names: tuple[str, ...] = ()
    still: bool = False  # one image file
    format: Format = Format()


def open_source(path: Path, exact: bool = True) -> Source:
    """Open the frames at `path` after a check of every header. An animated PNG is a video.

    Args:
        exact: whether the count of a video must be exact, which may take decoding it; see `frames.video.video_info`.
    Raises:
        FileNotFoundError, ValueError: one line that names the file.
    """
    if path.is_dir():
        return _images(_images_of(path))
    check_regular(path, "file or folder of images")
    if not is_image(path):
        return _video(path, exact)
    header = image_header(path)
    return _video(path, exact) if header.format == "png" and header.pictures > 1 else _images([path], still=True)


def _images_of(folder: Path) -> list[Path]:
    """The images of a folder; ValueError for one in which there are none."""
    if any(map(is_image, entries(folder))):
        return images_in(folder)
    deeper = ", folders in it are not looked into" * any(path.is_dir() for path in entries(folder))
    known = f"images end in {', '.join(IMAGE_SUFFIXES)}, videos in {', '.join(VIDEO_SUFFIXES)}"
    raise ValueError(f"{folder}: there is no image in it, and no video{deeper}; {known}")


def _images(files: list[Path], still: bool = False) -> Source:
    size, headers = image_size(files[0]), [image_header(file) for file in files]
    for file, header in zip(files, headers):
        _check_like(file, header, files[0], size)
    names = tuple(file.stem for file in files)
    return Source(
        size,
        len(files),
        lambda deep=False: (read_image(file, deep) for file in files),
        names=names if len({name.casefold() for name in names}) == len(names) else (),
        still=still,
        format=Format(
            bits=max(header.bits for header in headers),
            alpha=any(header.alpha for header in headers),
            beside_pixels=("a colour profile other than sRGB",) * any(header.profile for header in headers),
        ),
    )


def _check_like(file: Path, header: Header, first: Path, size: tuple[int, int]) -> None:
    if header.upright_size != size:
        height, width = header.upright_size
        raise ValueError(
            f"{file}: {width}x{height}, but {first.name} beside it is {size[1]}x{size[0]}; frames must be of one size"
        )


def _video(path: Path, exact: bool) -> Source:
    info = video_info(path, exact)
    return Source(
        (info.height, info.width),
        info.frames,
        lambda deep=False: (frame.pixels for frame in read_timed(path, deep)),
        partial(read_timed, path),
        Fraction(info.fps).limit_denominator(1001),
        format=info.format,
    )
