"""TIFF 6.0 (not BigTIFF), read tag by tag."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from frames.headers.base import ORIENTATION_TAG, BrokenFile, Header

SUBFILE, WIDTH, HEIGHT, BITS, PHOTOMETRIC, PLANES, EXTRA_SAMPLES = 0xFE, 0x100, 0x101, 0x102, 0x106, 0x11C, 0x152
WHITE_IS_ZERO = 0  # a value of PHOTOMETRIC
UNASSOCIATED = 2  # a value of EXTRA_SAMPLES: alpha by which colours are not multiplied yet
PIECES = ((0x0111, 0x0117), (0x0144, 0x0145))  # offsets and byte counts of strips, of tiles
TYPES = {1: "B", 3: "H", 4: "I"}  # byte, short, long
MAX_PAGES = 4096
MAX_ENTRIES = 1 << 17  # of all pages; they may lie on each other
MAX_VALUES = 1 << 20  # of one tag; a strip may be a single row
LISTS = {BITS, EXTRA_SAMPLES, *(tag for pair in PIECES for tag in pair)}  # tags of several values
KNOWN = {SUBFILE, WIDTH, HEIGHT, PHOTOMETRIC, PLANES, ORIENTATION_TAG} | LISTS
APART = 2  # a value of PLANES: a plane for each colour

Tags = dict[int, tuple[int, ...]]


def matches(data: bytes) -> bool:
    return data[:4] in (b"II*\0", b"MM\0*")


def header(data: bytes) -> Header:
    pages = list(_pages(data))
    first = pages[0]
    if WIDTH not in first or HEIGHT not in first:
        raise BrokenFile("a TIFF without a size")
    bits = first.get(BITS, (1,))
    if max(bits) > 8 and len(bits) > 1 and first.get(PLANES, (1,))[0] == APART:  # OpenCV mixes them up
        raise BrokenFile(f"a TIFF with a plane of {max(bits)} bits for each colour, which is not read")
    (orientation,) = first.get(ORIENTATION_TAG, (1,))[:1]
    whole = sum(page.get(SUBFILE, (0,))[0] & 1 == 0 for page in pages)  # without previews of reduced size
    return Header(
        "tiff",
        first[HEIGHT][0],
        first[WIDTH][0],
        orientation if 1 <= orientation <= 8 else 1,
        bits=max(bits),
        alpha=EXTRA_SAMPLES in first,
        unassociated_alpha=first.get(EXTRA_SAMPLES, (0,))[0] == UNASSOCIATED,
        pictures=max(whole, 1),
        negative=max(bits) > 8 and first.get(PHOTOMETRIC, (1,))[0] == WHITE_IS_ZERO,
    )


def check(data: bytes) -> None:
    first = next(_pages(data))
    for offsets, counts in PIECES:
        ends = [start + length for start, length in zip(first.get(offsets, ()), first.get(counts, ()), strict=False)]
        if ends and max(ends) > len(data):
            raise BrokenFile("the file is truncated")


def _pages(data: bytes) -> Iterator[Tags]:
    """The `KNOWN` tags of the first page, and of each later page SUBFILE alone (whether it is of reduced size)."""
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", data, 4)
    if not at:
        raise BrokenFile("a TIFF without a picture")
    seen: set[int] = set()
    left = MAX_ENTRIES
    while at and at not in seen and len(seen) < MAX_PAGES:
        wanted = {SUBFILE} if seen else set(KNOWN)
        seen.add(at)
        (entries,) = struct.unpack_from(order + "H", data, at)
        left -= entries
        if left < 0:
            raise BrokenFile(f"a TIFF with more than {MAX_ENTRIES} tags")
        tags: Tags = {}
        for index in range(entries):
            place = at + 2 + 12 * index
            (tag,) = struct.unpack_from(order + "H", data, place)
            if tag in wanted:  # once: thousands of entries may point to the same megabytes of values
                wanted.remove(tag)
                tags[tag] = _values(data, order, place, tag in LISTS)
        yield tags
        (at,) = struct.unpack_from(order + "I", data, at + 2 + 12 * entries)


def _values(data: bytes, order: str, at: int, several: bool) -> tuple[int, ...]:
    """The values of the tag at a place, or only the first unless `several`; 0 for types that no known tag has."""
    _, kind, count = struct.unpack_from(order + "HHI", data, at)
    letter = TYPES.get(kind)
    if letter is None or not count:
        return (0,)
    if several and count > MAX_VALUES:
        raise BrokenFile(f"a TIFF with {count} values of one tag")
    size = struct.calcsize(f"{order}{count}{letter}")
    (where,) = struct.unpack_from(order + "I", data, at + 8)
    if size > 4 and where + size > len(data):
        raise struct.error("the values of a tag lie beyond the data")
    return struct.unpack_from(f"{order}{count if several else 1}{letter}", data, at + 8 if size <= 4 else where)
