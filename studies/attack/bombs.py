"""Special files, files that unpack to far more than their size, and weights that would run code."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from studies.attack.mutate import aliases, damaged

ROOT = Path(__file__).parents[2]
NANO = ROOT / "turbovsr" / "weights" / "nano.safetensors"
SIDE = 19_990


class _Payload:
    """An object that is pickled as a call of os.system."""

    def __reduce__(self):
        return os.system, ("touch CANARY",)


def png(width: int, height: int, bits: int = 8) -> bytes:
    """Make a valid RGB PNG of zeros: small as a file, `width * height` pixels when decoded."""
    row = b"\0" + bytes(width * 3 * bits // 8)
    packer = zlib.compressobj(9)
    content = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", content), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def jpeg_of_size(path: Path) -> None:
    """Write a JPEG whose header declares SIDE x SIDE."""
    import cv2
    import numpy as np

    content = bytearray(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", SIDE, SIDE)
    path.write_bytes(content)


def bmp_of_size(path: Path) -> None:
    """Write a BMP whose header declares SIDE x -SIDE, far more bytes than the file has."""
    body = struct.pack("<IiiHHIIiiII", 40, SIDE, -SIDE, 1, 24, 0, 0, 0, 0, 0, 0)
    path.write_bytes(b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + body + bytes(64))


def sparse(path: Path) -> None:
    """Write a sparse file of 5 GB that begins like a PNG."""
    with open(path, "wb") as file:
        file.write(png(8, 8)[:40])
        file.truncate(5 * 2**30)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def deep_png(path: Path) -> None:
    path.write_bytes(png(SIDE, SIDE, 16))


def wide_png(path: Path) -> None:
    path.write_bytes(png(2**20, 3))


SPECIAL: dict[str, Callable[[Path], object]] = {
    "pipe.png": os.mkfifo,
    "pipe.mp4": os.mkfifo,
    "zero.png": lambda path: path.symlink_to("/dev/zero"),
    "zero.mkv": lambda path: path.symlink_to("/dev/zero"),
    "nothing.png": lambda path: path.write_bytes(b""),
    "nothing.mp4": lambda path: path.write_bytes(b""),
    "dangling.png": lambda path: path.symlink_to("not-there"),
    "loop.png": loop,
    "folder.png": os.mkdir,
    "sparse.png": sparse,
    "deep.png": deep_png,
    "wide.png": wide_png,
    "large.jpg": jpeg_of_size,
    "large.bmp": bmp_of_size,
    "text.png": lambda path: path.write_text("hello"),
    "tty.png": lambda path: path.symlink_to("/dev/tty"),
}
"""Names and makers of special files among frames."""


def _sparse_text(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(6 * 2**30)


SPECIAL_TEXT: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "/dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "sparse": _sparse_text,
    "deep": lambda path: path.write_text("[" * 200_000),
    "aliases": lambda path: path.write_text(aliases()),
    "folder": os.mkdir,
    "loop": loop,
    "one long line": lambda path: path.write_text('{"a": "' + "x" * 50_000_000 + '"}'),
}
"""Makers of special files in place of a run's text file."""


def weights(name: str, rng: random.Random) -> bytes:
    """Make weights, of a kind that fits the name: damaged, absurd, or a pickle that calls os.system."""
    if name.endswith(".pth"):
        return rng.choice([_pickle, _zip_pickle, lambda: b"", lambda: rng.randbytes(1000), _tensors, _repeated])()
    content = NANO.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    action = rng.randrange(5)
    if action == 0:
        return damaged(content, rng)
    if action == 1:
        return struct.pack("<Q", 2**60) + content[8:]
    if action == 2:
        header["__metadata__"] = {"config": json.dumps({"width": 10**9, "depth": 10**9})}
    elif action == 3:
        header.pop("__metadata__", None)
    else:
        first = next(key for key in header if key != "__metadata__")
        header[first]["shape"] = [10**6, 10**6]
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def _pickle() -> bytes:
    return pickle.dumps({"params": _Payload()})


def _zip_pickle() -> bytes:
    """A pickle that calls os.system, in the zip format of torch.save."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(_Payload(), protocol=2))
        archive.writestr("archive/version", "3\n")
    return made.getvalue()


def _repeated() -> bytes:
    """A tensor of four stored bytes that claims four terabytes."""
    import torch

    made = io.BytesIO()
    torch.save({"conv.weight": torch.zeros(1).expand(10**6, 10**6)}, made)
    return made.getvalue()


def _tensors() -> bytes:
    """Plain tensors with names that no network here has."""
    import torch

    made = io.BytesIO()
    torch.save({"state_dict": {"module.conv.weight": torch.full((3, 3), float("nan"))}}, made)
    return made.getvalue()
