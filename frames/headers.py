"""What the header of an image file says, and whether the file is whole, without decoding a pixel."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
# Start-of-frame markers of JPEG: all of 0xC0..0xCF but DHT (C4), JPG (C8) and DAC (CC).
SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
ORIENTATION_TAG = 0x0112


class BrokenFile(ValueError):
    """The bytes are not a whole image of a known format; the message says what is wrong, without the file's name."""


@dataclass(frozen=True)
class Header:
    """Format ("png", "jpeg" or "bmp") and the size in pixels of the upright picture."""

    format: str
    height: int
    width: int


def read_header(data: bytes) -> Header:
    """Header of the image that `data` begins with; `data` may be the first part of a file.

    Raises:
        BrokenFile: unknown format, or the part does not reach far enough.
    """
    try:
        if data.startswith(PNG_MAGIC):
            return _png_header(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg_header(data)
        if data.startswith(b"BM"):
            return _bmp_header(data)
    except (struct.error, IndexError) as error:
        raise BrokenFile("the file ends inside its header") from error
    raise BrokenFile("the file is empty" if not data else "not a PNG, JPEG or BMP image")


def check_whole(data: bytes) -> None:
    """Walk over the whole file and find truncation and damage that decoders pass over in silence.

    PNG: every chunk is complete, its CRC is right, and IEND is there. JPEG: the end marker follows the scan data.
    BMP: as many bytes as the header announces.

    Raises:
        BrokenFile: what is wrong.
    """
    if data.startswith(PNG_MAGIC):
        _check_png(data)
    elif data.startswith(b"\xff\xd8\xff"):
        _check_jpeg(data)
    elif data.startswith(b"BM") and len(data) < struct.unpack_from("<I", data, 2)[0]:
        raise BrokenFile("the file is truncated")


def _png_header(data: bytes) -> Header:
    width, height = struct.unpack_from(">II", data, 16)
    if data[12:16] != b"IHDR":
        raise BrokenFile("a PNG without a header chunk")
    return Header("png", height, width)


def _check_png(data: bytes) -> None:
    at = len(PNG_MAGIC)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        if at + 12 + length > len(data):
            break
        (crc,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]) != crc:
            raise BrokenFile(f"the checksum of its {kind.decode('latin-1')} chunk is wrong")
        if kind == b"IEND":
            return
        at += 12 + length
    raise BrokenFile("the file is truncated (no IEND chunk)")


def _jpeg_segments(data: bytes):
    """Yield (marker, start of payload, length of payload) up to and with the first scan."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise BrokenFile("a JPEG with a damaged header")
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in STANDALONE_MARKERS:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, at + 4, length - 2
        if marker == 0xDA:
            return
        at += 2 + length


def _jpeg_header(data: bytes) -> Header:
    orientation = 1
    for marker, start, length in _jpeg_segments(data):
        if marker == 0xE1 and data[start : start + 6] == b"Exif\0\0":
            orientation = _exif_orientation(data[start + 6 : start + length])
        if marker in SOF_MARKERS:
            height, width = struct.unpack_from(">HH", data, start + 1)
            if orientation >= 5:  # 5 to 8 lie on their side
                height, width = width, height
            return Header("jpeg", height, width)
    raise BrokenFile("a JPEG without a frame header")


def _check_jpeg(data: bytes) -> None:
    scan = None
    try:
        for marker, start, length in _jpeg_segments(data):
            scan = start + length if marker == 0xDA else None
    except (struct.error, IndexError) as error:
        raise BrokenFile("the file is truncated") from error
    # Inside scan data 0xFF is always followed by 0x00 or a restart marker, so the first FF D9 is the end.
    # Searching from the scan on keeps the end marker of an embedded thumbnail from counting.
    if scan is None or data.find(b"\xff\xd9", scan) < 0:
        raise BrokenFile("the file is truncated (no end marker)")


def _exif_orientation(tiff: bytes) -> int:
    """Orientation 1..8 from an Exif block; 1 (upright) where it is absent or unreadable, as decoders do."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, at)
        for index in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, at + 2 + 12 * index)
            if tag == ORIENTATION_TAG:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def _bmp_header(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return Header("bmp", abs(height), width)  # a negative height means rows from the top
