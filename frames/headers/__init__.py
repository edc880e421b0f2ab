"""Headers of image files: size, depth, and whether the file is whole, without decoding a pixel."""

from __future__ import annotations

import struct
from types import ModuleType

from frames.headers import bmp, jpeg, png, tiff, webp
from frames.headers.base import BrokenFile, Header

__all__ = ["BrokenFile", "Header", "check_whole", "read_header"]

FORMATS: tuple[ModuleType, ...] = (png, jpeg, bmp, webp, tiff)
NAMES = "a PNG, JPEG, BMP, WebP or TIFF image"


def read_header(data: bytes) -> Header:
    """Read the header of an image from its bytes, or from the first part of them.

    Raises:
        BrokenFile: unknown format, or the part does not reach far enough.
    """
    form = _format(data)
    try:
        return form.header(data)
    except (struct.error, IndexError) as error:
        raise BrokenFile("the file ends inside its header") from error


def check_whole(data: bytes) -> None:
    """Check a whole file for truncation and damage that decoders pass over in silence.

    PNG: every chunk is complete, its CRC is right, and IEND is there. JPEG: the end marker follows the scan data.
    BMP, WebP: as many bytes as the header announces. TIFF: every strip or tile lies inside the file.

    Raises:
        BrokenFile: what is wrong.
    """
    form = _format(data)
    try:
        form.check(data)
    except (struct.error, IndexError) as error:
        raise BrokenFile("the file is truncated") from error


def _format(data: bytes) -> ModuleType:
    for form in FORMATS:
        if form.matches(data):
            return form
    raise BrokenFile("the file is empty" if not data else f"not {NAMES}")
