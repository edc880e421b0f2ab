"""Appending of whole lines to files: a line is written completely or not at all, and never through a link."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from io import FileIO
from pathlib import Path

from frames.errors import UserError


def without_links(path: str, flags: int) -> int:
    """An `opener` for `open` that creates or opens a file and refuses symbolic links.

    A folder from elsewhere may hold a link to one of the user's own files, which would be written to.

    Raises:
        UserError: `path` is a symbolic link.
        OSError: the file cannot be opened.
    """
    try:
        return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        if not os.path.islink(path):
            raise
        raise _link(path) from error


def refuse_links(path: Path, within: Path) -> None:
    """Raise UserError if `path` or a folder between it and `within` is a symbolic link (see `without_links`)."""
    for each in (path, *path.parents):
        if each == within:
            return
        if each.is_symlink():
            raise _link(each)


def _link(path: str | Path) -> UserError:
    return UserError(
        f"{path}: a link to {os.readlink(path)}, and nothing is written through it; "
        f"put the {'folder' if os.path.isdir(path) else 'file'} itself there, or write into another folder"
    )


def append_whole(stream: FileIO, data: bytes) -> None:
    """Append all bytes to a file that was opened without a buffer, or none of them.

    On a nearly full disk the system may write only a part. The rest is then tried, and the file cut back if it fails.

    Args:
        stream: positioned at its end; nobody else may write to the file meanwhile.
    Raises:
        OSError: not everything could be written. It names the file, which is as long as before.
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
