"""TIFF 6.0 (not BigTIFF), read tag by tag."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from frames.headers.base import ORIENTATION_TAG, BrokenFile, Header

SUBFILE, WIDTH, HEIGHT, BITS, EXTRA_SAMPLES = 0x00FE, 0x0100, 0x0101, 0x0102, 0x0152
PIECES = ((0x0111, 0x0117), (0x0144, 0x0145))  # offsets and byte counts of strips, of tiles
TYPES = {1: "B", 3: "H", 4: "I"}  # byte, short, long
MAX_PAGES = 4096

Tags = dict[int, tuple[int, ...]]


def matches(data: bytes) -> bool:
    return data[:4] in (b"II*\0", b"MM\0*")


def header(data: bytes) -> Header:
    pages = list(_pages(data))
    if not pages:
        raise BrokenFile("a TIFF without a picture")
    first = pages[0]
    if WIDTH not in first or HEIGHT not in first:
        raise BrokenFile("a TIFF without a size")
    (orientation,) = first.get(ORIENTATION_TAG, (1,))[:1]
    whole = sum(page.get(SUBFILE, (0,))[0] & 1 == 0 for page in pages)  # without previews of reduced size
    return Header(
        "tiff",
        first[HEIGHT][0],
        first[WIDTH][0],
        orientation if 1 <= orientation <= 8 else 1,
        bits=max(first.get(BITS, (1,))),
        alpha=EXTRA_SAMPLES in first,
        pictures=max(whole, 1),
    )


def check(data: bytes) -> None:
    first = next(_pages(data))
    for offsets, counts in PIECES:
        ends = [start + length for start, length in zip(first.get(offsets, ()), first.get(counts, ()), strict=False)]
        if ends and max(ends) > len(data):
            raise BrokenFile("the file is truncated")


def _pages(data: bytes) -> Iterator[Tags]:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    seen: set[int] = set()
    while at and at not in seen and len(seen) < MAX_PAGES:
        seen.add(at)
        (entries,) = struct.unpack_from(order + "H", data, at)
        yield dict(_tag(data, order, at + 2 + 12 * index) for index in range(entries))
        (at,) = struct.unpack_from(order + "I", data, at + 2 + 12 * entries)


def _tag(data: bytes, order: str, at: int) -> tuple[int, tuple[int, ...]]:
    """A tag and its values; of types that no tag here has, the values are left out."""
    tag, kind, count = struct.unpack_from(order + "HHI", data, at)
    letter = TYPES.get(kind)
    if letter is None or not count:
        return tag, (0,)
    form = f"{order}{count}{letter}"
    size = struct.calcsize(form)
    (where,) = struct.unpack_from(order + "I", data, at + 8)
    if size > 4 and where + size > len(data):
        raise struct.error("the values of a tag lie beyond the data")
    return tag, struct.unpack_from(form, data, at + 8 if size <= 4 else where)
