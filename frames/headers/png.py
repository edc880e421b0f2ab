"""PNG, and its animated form (APNG)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from frames.headers.base import BrokenFile, Header, is_other_profile

MAGIC = b"\x89PNG\r\n\x1a\n"
GREY_ALPHA, RGB_ALPHA = 4, 6  # colour types
PROFILE_BYTES = 1 << 16  # at most, of a compressed profile: its description comes early


def matches(data: bytes) -> bool:
    return data.startswith(MAGIC)


def header(data: bytes) -> Header:
    """Read the header without an orientation: its eXIf chunk may come after the pixels."""
    if data[12:16] != b"IHDR":
        raise BrokenFile("a PNG without a header chunk")
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    alpha, pictures, profile = colour in (GREY_ALPHA, RGB_ALPHA), 1, False
    for kind, start, length in _chunks(data):
        if kind == b"IDAT":
            break
        alpha |= kind == b"tRNS"
        if kind == b"iCCP":
            profile = is_other_profile(_profile(data[start : start + length]))
        if kind == b"acTL" and length >= 4:
            (pictures,) = struct.unpack_from(">I", data, start)
    else:
        raise BrokenFile("the file ends before its pixels")
    return Header("png", height, width, bits=bits, alpha=alpha, pictures=max(pictures, 1), profile=profile)


def _profile(chunk: bytes) -> bytes:
    """Name and beginning of a profile; the name alone where it cannot be unpacked, as decoders then ignore it."""
    name, _, packed = chunk.partition(b"\0")
    try:
        return name + zlib.decompressobj().decompress(packed[1:], PROFILE_BYTES)
    except zlib.error:
        return name


def check(data: bytes) -> None:
    for kind, start, length in _chunks(data):
        if start + length + 4 > len(data):
            break
        (crc,) = struct.unpack_from(">I", data, start + length)
        if zlib.crc32(memoryview(data)[start - 4 : start + length]) != crc:
            raise BrokenFile(f"the checksum of its {kind.decode('latin-1')} chunk is wrong")
        if kind == b"IEND":
            return
    raise BrokenFile("the file is truncated (no IEND chunk)")


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of payload, length of payload); the last one may reach beyond the data."""
    at = len(MAGIC)
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], at + 8, length
        at += 12 + length
