"""Windows bitmaps."""

from __future__ import annotations

import struct

from frames.headers.base import BrokenFile, Header

UNCOMPRESSED = 0


def matches(data: bytes) -> bool:
    return data.startswith(b"BM")


def header(data: bytes) -> Header:
    (size,) = struct.unpack_from("<I", data, 14)
    if size == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return Header("bmp", abs(height), width)  # a negative height means rows from the top


def check(data: bytes) -> None:
    announced, pixels = struct.unpack_from("<I", data, 2)[0], 0
    if struct.unpack_from("<I", data, 14)[0] >= 40:
        bits, compression = struct.unpack_from("<HI", data, 28)
        if compression == UNCOMPRESSED:
            found = header(data)
            row = (found.width * bits + 31) // 32 * 4  # rows are padded to four bytes
            pixels = struct.unpack_from("<I", data, 10)[0] + row * found.height
    if len(data) < max(announced, pixels):
        raise BrokenFile("the file is truncated")
