"""Lines at the end of files that others read meanwhile: each is there as a whole, or not at all."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from io import FileIO


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
