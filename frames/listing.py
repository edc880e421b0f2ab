"""Listing of a folder: frames in natural order, without hidden files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
VIDEO_SUFFIXES = (
    *(".mp4", ".mkv", ".mov", ".avi", ".webm", ".mpg", ".mpeg", ".m4v", ".ts", ".y4m"),
    *(".mts", ".m2ts", ".vob", ".wmv", ".flv", ".3gp", ".dv", ".mxf", ".ogv"),
)
DIGITS = re.compile("([0-9]+)")  # not \d, which takes digits of other scripts and, in str.isdigit, superscripts


def is_image(path: Path) -> bool:
    """True for a name that ends like an image's; the file is not looked at."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def is_video(path: Path) -> bool:
    """True for a name that ends like a video's; the file is not looked at."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def natural_key(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key under which frame9 comes before frame10; the plain name decides between frame1 and frame01."""
    parts = DIGITS.split(path.name)
    key = [(1, int(part), "") if index % 2 else (0, 0, part) for index, part in enumerate(parts)]
    return key, path.name


def entries(folder: Path) -> list[Path]:
    """The files and folders in a folder, without hidden ones, in natural order.

    Raises:
        FileNotFoundError: no such folder.
    """
    try:
        return sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=natural_key)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{folder}: no such folder") from None


def files_below(folder: Path, around: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Every file below a folder, hidden ones and those in linked folders included; unreadable folders are left out.

    Args:
        around: real paths of the folders around this one; a link back to one of them is not followed.
    """
    real = folder.resolve()
    try:
        inside = [] if real in around else sorted(folder.iterdir())
    except PermissionError:
        inside = []
    for path in inside:
        if path.is_dir():
            yield from files_below(path, around | {real})
        elif path.is_file():
            yield path


def images_in(folder: Path) -> list[Path]:
    """The images of a folder, recognised by their suffixes, in natural order.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: there is no image in it.
    """
    found = [path for path in entries(folder) if is_image(path)]
    if not found:
        raise ValueError(f"{folder}: there is no image in it; frames are expected as {', '.join(IMAGE_SUFFIXES)}")
    return found


def frame_number(path: Path) -> int | None:
    """The last number in a file's stem: 17 for 00000017.png, None where there is none."""
    digits = DIGITS.findall(path.stem)
    return int(digits[-1]) if digits else None
