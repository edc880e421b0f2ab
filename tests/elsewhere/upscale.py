"""Somebody else's upscaler, for the tests: pixel repetition with nothing but the standard library.

python upscale.py --input FOLDER --output FOLDER --scale 4
python upscale.py --version
"""

import argparse
import struct
import zlib
from pathlib import Path

VERSION = "repeat 1.0"


def read_png(file: Path) -> list[bytes]:
    """Rows of an 8-bit RGB PNG without interlacing."""
    data, at, packed = file.read_bytes(), 8, b""
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 2), "8-bit RGB only"
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    stream, stride = zlib.decompress(packed), 3 * width
    rows = [bytes(stride)]
    for start in range(0, height * (stride + 1), stride + 1):
        rows.append(unfiltered(stream[start], stream[start + 1 : start + 1 + stride], rows[-1]))
    return rows[1:]


def unfiltered(kind: int, line: bytes, above: bytes) -> bytes:
    """One row, its filter undone (PNG specification, section 9)."""
    row = bytearray(line)
    for index in range(len(row)):
        left, up, corner = (row[index - 3], above[index], above[index - 3]) if index >= 3 else (0, above[index], 0)
        guess = left + up - corner
        paeth = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
        row[index] = (row[index] + (0, left, up, (left + up) // 2, paeth)[kind]) % 256
    return bytes(row)


def write_png(file: Path, rows: list[bytes]) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", action="version", version=VERSION)
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--scale", type=int, default=4)
    options = parser.parse_args()
    for file in sorted(options.input.iterdir()):
        wide = [b"".join(row[at : at + 3] * options.scale for at in range(0, len(row), 3)) for row in read_png(file)]
        write_png(options.output / file.name, [row for row in wide for _ in range(options.scale)])


if __name__ == "__main__":
    main()
