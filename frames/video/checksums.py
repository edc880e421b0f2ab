"""Checksums of FFV1 (RFC 9043). FFmpeg shows older pixels in place of a damaged slice, and says so in its log alone."""

from __future__ import annotations

import zlib

FOOTER = 8  # bytes behind a slice: its length (3), a status (1), a CRC (4) that also covers the footer
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
STARTS = (0, 0x9E02315E)  # of the reversed CRC, which a whole slice leaves as it was; the second is of version 4


class Checksums:
    """Checks the packets of one FFV1 stream, in order; those without checksums (versions 0 and 1) count as whole."""

    def __init__(self) -> None:
        self._expected = False

    def whole(self, packet: bytes) -> bool:
        """Whether the checksum of every slice is right."""
        slices = _slices(packet)
        self._expected |= bool(slices)
        return all(map(_is_whole, slices)) if slices else not self._expected


def _slices(packet: bytes) -> list[bytes]:
    """The slices with their footers; empty where the lengths in footers with a CRC do not lead through the packet."""
    found, end = [], len(packet)
    while end > 0:
        length = int.from_bytes(packet[max(0, end - FOOTER) : end - FOOTER + 3], "big")
        begin = end - FOOTER - length
        if begin < 0 or not length:  # zeros in place of a packet would be slices without content, whose CRC fits
            return []
        found.append(packet[begin:end])
        end = begin
    return found


def _is_whole(data: bytes) -> bool:
    """Whether the CRC fits. It takes the highest bit of a byte first, zlib's the lowest: bits are reversed."""
    flipped = data.translate(REVERSED)
    return any(zlib.crc32(flipped, start ^ 0xFFFFFFFF) ^ 0xFFFFFFFF == start for start in STARTS)
