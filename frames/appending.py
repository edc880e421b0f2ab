"""Appending of whole lines to files: a line is written completely or not at all, and never through a link."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from io import FileIO

from frames.errors import UserError


def without_links(path: str, flags: int) -> int:
    """An `opener` for `open`: the file of that name is made or opened, and no link is followed to another one.

    A foreign folder may hold a link to a file of the user's, which would be written to.

    Raises:
        UserError: the name is a link's.
        OSError: it cannot be opened.
    """
    try:
        return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        if not os.path.islink(path):
            raise
        raise UserError(
            f"{path}: a link to {os.readlink(path)}, and nothing is written through it; "
            "put the file itself there, or write into another folder"
        ) from error


def append_whole(stream: FileIO, data: bytes) -> None:
    """Write bytes at the end of a file that was opened without a buffer: all of them, or none.

    The system writes a part where the disk is nearly full, and tells how much; the rest is written then, or refused.

    Args:
        stream: at its end; nobody else writes to the file meanwhile.
    Raises:
        OSError: not everything could be written; it names the file, which is as long as before.
    """
    size = os.fstat(stream.fileno()).st_size
    left = memoryview(data)
    try:
        while left:
            written = stream.write(left)
            if not written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left = left[written:]
    except OSError as error:
        with suppress(OSError):
            stream.truncate(size)
        error.filename = stream.name
        raise
