"""A video, an image or a folder of images as one stream of frames, uint8 (H, W, 3) RGB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from frames.door import check_regular
from frames.images import image_size, read_image
from frames.listing import images_in, is_image
from frames.video import read_video, video_info


@dataclass(frozen=True)
class Source:
    """Frames that are read when `frames()` is iterated; each call reads anew."""

    frames: Callable[[], Iterator[np.ndarray]]
    count: int
    fps: Fraction | None = None  # None for images
    names: tuple[str, ...] = ()  # of image files, without suffix; empty where two are alike
    still: bool = False  # one image file


def open_source(path: Path) -> Source:
    """What is at `path`, after a look at every header.

    Raises:
        FileNotFoundError, ValueError: one line that names the file.
    """
    if path.is_dir():
        files = images_in(path)
        _check_sizes(files)
        names = tuple(file.stem for file in files)
        return Source(lambda: map(read_image, files), len(files), names=names if len(set(names)) == len(names) else ())
    check_regular(path, "file or folder of images")
    if is_image(path):
        image_size(path)
        return Source(lambda: iter([read_image(path)]), 1, names=(path.stem,), still=True)
    info = video_info(path)
    return Source(lambda: read_video(path), info.frames, Fraction(info.fps).limit_denominator(1001))


def _check_sizes(files: list[Path]) -> None:
    first = image_size(files[0])
    for file in files[1:]:
        size = image_size(file)
        if size != first:
            raise ValueError(
                f"{file}: {size[1]}x{size[0]}, but {files[0].name} beside it is {first[1]}x{first[0]}; frames must "
                "be of one size"
            )
