"""WebP (RFC 9649): lossy, lossless and extended."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from frames.headers.base import BrokenFile, Header, exif_orientation, is_other_profile

ANIMATED, EXIF, ALPHA = 0x02, 0x08, 0x10  # flags of VP8X


def matches(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def header(data: bytes) -> Header:
    kind, start, _ = next(_chunks(data))
    if kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, start + 6))
        return Header("webp", height, width)
    if kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, start + 1)
        return Header("webp", (packed >> 14 & 0x3FFF) + 1, (packed & 0x3FFF) + 1, alpha=bool(packed >> 28 & 1))
    if kind != b"VP8X":
        raise BrokenFile("a WebP image without a picture")
    flags = data[start]
    if flags & (EXIF | ANIMATED) and len(data) < _length(data):
        raise BrokenFile("the file ends before its orientation or its last picture")
    width, height = (1 + int.from_bytes(data[start + at : start + at + 3], "little") for at in (4, 7))
    chunks = list(_chunks(data))
    pictures = sum(kind == b"ANMF" for kind, _, _ in chunks) if flags & ANIMATED else 1
    profile = any(kind == b"ICCP" and is_other_profile(data[at : at + size]) for kind, at, size in chunks)
    alpha, turned = bool(flags & ALPHA), _orientation(data, chunks)
    return Header("webp", height, width, turned, alpha=alpha, pictures=max(pictures, 1), profile=profile)


def check(data: bytes) -> None:
    if len(data) < _length(data):
        raise BrokenFile("the file is truncated")


def _length(data: bytes) -> int:
    """Size of the whole file in bytes, as its first chunk announces."""
    return 8 + struct.unpack_from("<I", data, 4)[0]


def _orientation(data: bytes, chunks: list[tuple[bytes, int, int]]) -> int:
    for kind, start, length in chunks:
        if kind == b"EXIF":
            return exif_orientation(data[start : start + length].removeprefix(b"Exif\0\0"))
    return 1


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of payload, length of payload)."""
    at = 12
    if len(data) < 20:
        raise BrokenFile("the file ends inside its header")
    while at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        yield data[at : at + 4], at + 8, length
        at += 8 + length + length % 2
