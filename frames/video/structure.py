"""Detection of truncated video files, which decoders accept in silence, by their outer structure."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from frames.door import reading

EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
TS_PACKET, TS_SYNC = 188, 0x47
START_CODE, PACK, END = b"\0\0\1", b"\xba", b"\xb9"  # of MPEG program streams
MXF_KEY = b"\x06\x0e\x2b\x34"  # the beginning of every key (SMPTE 298M)
Y4M_CHROMA = {b"420": (2, 2), b"411": (4, 1), b"422": (2, 1), b"444": (1, 1)}  # pixels to a sample: across, down
MAX_LINE = 1024  # bytes
MAX_ELEMENTS = 1_000_000  # walked at most: a hostile file may hold millions of empty ones


def truncation(path: Path) -> str | None:
    """A message if a file is truncated, else None, also for containers that do not show it.

    MP4, MOV, Matroska, WebM, AVI, FLV, MXF, Y4M, MPEG-TS, MPEG program streams and GIF show it.

    Raises:
        FileNotFoundError, ValueError: as `frames.door.reading`.
    """
    with reading(path, "video") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(TS_PACKET + 1)
        try:
            cut = _walk_of(head)(file, size) if head else False
        except (struct.error, IndexError):
            cut = True
    return "the file is truncated" if cut else None


def _walk_of(head: bytes) -> Callable[[BinaryIO, int], bool]:
    if head[4:8] in (b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return _boxes
    if head[:4] == EBML.to_bytes(4, "big"):
        return _matroska
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return _riff
    if head[:4] == b"GIF8":
        return _gif
    if head[:4] == b"FLV\1":
        return _flv
    if head[:4] == MXF_KEY:
        return _mxf
    if head[:9] == b"YUV4MPEG2":
        return _y4m
    if head[:4] == START_CODE + PACK:
        return _program_stream
    if len(head) > TS_PACKET and head[0] == head[TS_PACKET] == TS_SYNC:
        return lambda file, size: size % TS_PACKET != 0
    return lambda file, size: False


def _boxes(file: BinaryIO, size: int) -> bool:
    """MP4 and MOV (ISO/IEC 14496-12): boxes of a length and a name. True if one reaches beyond the end."""
    at = 0
    for _ in range(MAX_ELEMENTS):
        if at + 8 > size:
            return False  # up to seven bytes of padding are common
        file.seek(at)
        (length,) = struct.unpack(">I", file.read(8)[:4])
        if length == 1:
            (length,) = struct.unpack(">Q", file.read(8))
        if length == 0:  # to the end of the file
            return False
        if length < 8:
            return True
        at += length
        if at > size:
            return True
    return False


def _matroska(file: BinaryIO, size: int) -> bool:
    """EBML (RFC 8794): elements of an id, a length and a payload; a length of all ones is unknown."""
    at, inside = 0, False
    for _ in range(MAX_ELEMENTS):
        if at >= size:
            return False
        file.seek(at)
        ident = _vint(file, keep_marker=True)
        length = _vint(file, keep_marker=False)
        begin = file.tell()
        if length is not None and begin + length > size:
            return True
        if length is None:
            if ident not in (SEGMENT, CLUSTER):
                return False
            inside, at = True, begin
        elif ident == SEGMENT and not inside:
            return False  # whole by its own account
        else:
            at = begin + length
    return False


def _vint(file: BinaryIO, keep_marker: bool) -> int | None:
    """A variable-length number; None for the one that means unknown."""
    first = file.read(1)[0]
    width = 9 - first.bit_length()
    if width > 8:
        raise IndexError("not an EBML number")
    data = bytes([first]) + file.read(width - 1)
    if len(data) < width:
        raise IndexError("the file ends inside a number")
    value = int.from_bytes(data, "big")
    if keep_marker:
        return value
    value &= (1 << 7 * width) - 1
    return None if value == (1 << 7 * width) - 1 else value


def _riff(file: BinaryIO, size: int) -> bool:
    """AVI: RIFF chunks one after another (OpenDML); a length of 0 was never filled in."""
    at = 0
    while at + 12 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name != b"RIFF" or length == 0:
            return False
        at += 8 + length + length % 2
        if at - length % 2 > size:
            return True
    return False


def _program_stream(file: BinaryIO, size: int) -> bool:
    """MPEG program streams (ISO/IEC 13818-1): packs, and packets of a length."""
    at = 0
    for _ in range(MAX_ELEMENTS):
        file.seek(at)
        head = file.read(14)
        if len(head) < 4 or head[:3] != START_CODE:
            return 0 < len(head) < 4  # behind the last packet there may be padding
        if head[3:4] == END:
            return False
        if head[3:4] == PACK:
            at += 14 + (head[13] & 7) if head[4] >> 6 == 1 else 12  # with stuffing in MPEG-2, without in MPEG-1
        else:
            at += 6 + int.from_bytes(head[4:6], "big")
        if at > size:
            return True
    return False


def _gif(file: BinaryIO, size: int) -> bool:
    """GIF ends in a trailer, 3B; some writers add zeros."""
    file.seek(max(0, size - 64))
    return not file.read().rstrip(b"\0").endswith(b"\x3b")


def _flv(file: BinaryIO, size: int) -> bool:
    """FLV: tags of a length, each followed by four bytes that repeat it; the last ones may be left out."""
    file.seek(5)
    at = int.from_bytes(file.read(4), "big") + 4
    for _ in range(MAX_ELEMENTS):
        if at >= size:
            return at > size + 4
        file.seek(at + 1)
        at += 11 + int.from_bytes(file.read(3), "big") + 4
    return False


def _mxf(file: BinaryIO, size: int) -> bool:
    """MXF (SMPTE 377M): a key of 16 bytes, a length and a value, one after another."""
    at = 0
    for _ in range(MAX_ELEMENTS):
        if at >= size:
            return at > size
        file.seek(at)
        head = file.read(25)
        if not head.startswith(MXF_KEY):
            return len(head) < len(MXF_KEY)
        length, width = head[16], 0
        if length & 0x80:  # a length of several bytes
            width = length & 0x7F
            length = int.from_bytes(head[17 : 17 + width], "big")
        at += 17 + width + length
    return False


def _y4m(file: BinaryIO, size: int) -> bool:
    """YUV4MPEG2: a line about the video, then for each frame a line and its samples, whose number follows from it."""
    file.seek(0)
    line = file.readline(MAX_LINE)
    samples = _samples_of_y4m(line)
    at = len(line)
    for _ in range(MAX_ELEMENTS if samples else 0):
        if at >= size:
            return at > size
        file.seek(at)
        at += len(file.readline(MAX_LINE)) + samples
    return False


def _samples_of_y4m(line: bytes) -> int:
    """Bytes of a frame; 0 where the line does not tell."""
    sides = [re.search(rb" %s([0-9]{1,6})[ \n]" % name, line) for name in (b"W", b"H")]
    colour = re.search(rb" C(420|411|422|444|mono)(?:jpeg|mpeg2|paldv)?(alpha)?p?([0-9]*)[ \n]", line)
    if None in sides or (colour is None and (b" C" in line or b" XYSCSS" in line)):
        return 0
    width, height = (int(side[1]) for side in sides if side)
    kind, alpha, bits = colour.groups() if colour else (b"420", None, b"")
    found = width * height * (2 if alpha else 1)
    if kind in Y4M_CHROMA:
        across, down = Y4M_CHROMA[kind]
        found += 2 * -(-width // across) * -(-height // down)
    return found * (2 if int(bits or 8) > 8 else 1)
