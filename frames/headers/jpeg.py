"""JPEG."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from frames.headers.base import BrokenFile, Header, exif_orientation, is_other_profile

# Start-of-frame markers: all of 0xC0..0xCF but DHT (C4), JPG (C8) and DAC (CC).
SOF_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
STANDALONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})


def matches(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff")


def header(data: bytes) -> Header:
    orientation, profile = 1, False
    for marker, start, length in _segments(data):
        if marker == 0xE1 and data[start : start + 6] == b"Exif\0\0":
            orientation = exif_orientation(data[start + 6 : start + length])
        if marker == 0xE2 and data[start : start + 12] == b"ICC_PROFILE\0":
            profile |= data[start + 12] == 1 and is_other_profile(data[start + 14 : start + length])  # its first part
        if marker in SOF_MARKERS:
            bits, height, width = struct.unpack_from(">BHH", data, start)
            return Header("jpeg", height, width, orientation, bits, profile=profile)
    raise BrokenFile("a JPEG without a frame header")


def check(data: bytes) -> None:
    scan = None
    for marker, start, length in _segments(data):
        scan = start + length if marker == 0xDA else None
    # Inside scan data 0xFF is always followed by 0x00 or a restart marker, so the first FF D9 is the end.
    # Searching from the scan on keeps the end marker of an embedded thumbnail from counting.
    if scan is None or data.find(b"\xff\xd9", scan) < 0:
        raise BrokenFile("the file is truncated (no end marker)")


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start of payload, length of payload) up to and with the first scan."""
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
