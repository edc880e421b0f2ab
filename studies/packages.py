"""Extraction of files from packages: Debian's (.deb, an ar archive around a tar), and tars of sources."""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

AR = b"!<arch>\n"
AR_HEADER = 60  # bytes: the name in the first 16, the size in decimal from 48 to 58


def members(package: Path, *patterns: str) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of the files that match any pattern (`fnmatch`), in the package's order.

    Nothing is written, and nothing of the package runs.

    Raises:
        ValueError: the package is damaged, or of another kind; the message names it.
    """
    try:
        data = package.read_bytes()
        archive = io.BytesIO(_data_of_deb(data) if data.startswith(AR) else data)
        with tarfile.open(fileobj=archive) as tar:
            for member in tar:
                if member.isfile() and any(fnmatch(member.name, pattern) for pattern in patterns):
                    file = tar.extractfile(member)
                    assert file is not None  # as it is a file
                    yield member.name.removeprefix("./"), file.read()
    except (tarfile.TarError, lzma.LZMAError, EOFError, ValueError) as error:
        raise ValueError(f"{package}: no package, or a damaged one ({error}); download it again") from error


def _data_of_deb(data: bytes) -> bytes:
    """Extract the tar of a .deb's files. Raises `ValueError` if there is none."""
    at = len(AR)
    while at + AR_HEADER <= len(data):
        name, size = data[at : at + 16].strip(), int(data[at + 48 : at + 58])
        at += AR_HEADER
        if name.startswith(b"data.tar"):
            return data[at : at + size]
        at += size + size % 2
    raise ValueError("no data.tar in it")


def webp_in(data: bytes) -> Iterator[bytes]:
    """Yield the WebP pictures that stand uncompressed in a file, such as Qt's resources (.rcc)."""
    at = data.find(b"RIFF")
    while at >= 0:
        size = 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at + 8 : at + 12] == b"WEBP" and at + size <= len(data):
            yield data[at : at + size]
        at = data.find(b"RIFF", at + 4)
