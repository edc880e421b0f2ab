"""Opening of files from outside: only regular files, within the limits.

Limits are read from the environment each time, so that a user with larger material can raise them:
`FRAMES_MAX_MEGAPIXELS` (default 160, above the largest camera sensor) of a single frame, and `FRAMES_MAX_MEGABYTES`
(default 1000) of an image file, which is read as a whole. Videos are read in pieces and may be of any length.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

MEGAPIXELS, MEGABYTES = "FRAMES_MAX_MEGAPIXELS", "FRAMES_MAX_MEGABYTES"
_DEFAULTS = {MEGAPIXELS: 160.0, MEGABYTES: 1000.0}
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def check_regular(path: Path, what: str = "file") -> os.stat_result:
    """The status of a regular file, links followed. Anything else is refused without being opened.

    Args:
        what: the word for it in messages: "image", "video".
    Raises:
        FileNotFoundError: nothing is there, or a link leads nowhere.
        ValueError: a folder, a pipe, a socket or a device.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise FileNotFoundError(f"{path}: a link to {os.readlink(path)}, where there is no such {what}") from None
        raise FileNotFoundError(f"{path}: no such {what}") from None
    except OSError as error:  # a loop of links, a name that is too long, a folder that may not be entered
        raise ValueError(f"{path}: {error.strerror}; give another {what}") from None
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
        raise ValueError(f"{path}: {kind}, not a regular file; take it away or give the {what} itself")
    return status


@contextmanager
def reading(path: Path, what: str = "file") -> Iterator[BufferedReader]:
    """Open a regular file for a block, as `open_regular`; an error of reading becomes a ValueError with its name."""
    with open_regular(path, what) as file:
        try:
            yield file
        except OSError as error:
            if error.filename is None and error.errno is not None:
                raise ValueError(f"{path}: it cannot be read ({error.strerror}); give another {what}") from None
            raise


def open_regular(path: Path, what: str = "file") -> BufferedReader:
    """Open a regular file for reading, without waiting for anyone.

    Raises:
        FileNotFoundError, ValueError: as `check_regular`; also a file that may not be read.
    """
    check_regular(path, what)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ValueError(f"{path}: it cannot be opened ({error.strerror}); check its permissions") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # exchanged since the check
        os.close(descriptor)
        raise ValueError(f"{path}: not a regular file; give the {what} itself")
    return os.fdopen(descriptor, "rb")


def read_small(path: Path, most: int, what: str = "file") -> bytes:
    """Read a whole regular file of at most `most` bytes.

    Raises:
        FileNotFoundError, ValueError: as `open_regular`; also for a larger file, which is not read further.
    """
    with reading(path, what) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path}: larger than {most} bytes, which no such {what} is; take it away")
    return data


def size_complaint(size: int) -> str | None:
    """The reason why an image file of this size in bytes is refused, or None."""
    limit = _limit(MEGABYTES)
    if size > limit * 1e6:
        return f"{size / 1e6:.0f} MB are more than the {limit:g} MB that are read; {MEGABYTES}=N raises the limit"
    return None


def pixels_complaint(height: int, width: int) -> str | None:
    """The reason why frames of this size are refused, or None."""
    if height < 1 or width < 1:
        return f"its header says {width}x{height}"
    limit = _limit(MEGAPIXELS)
    if height * width > limit * 1e6:
        return (
            f"{width}x{height} is more than the {limit:g} Mpx that are accepted; {MEGAPIXELS}=N in the environment "
            "raises the limit"
        )
    return None


def _limit(name: str) -> float:
    given = os.environ.get(name)
    if given is None:
        return _DEFAULTS[name]
    try:
        limit = float(given)
    except ValueError:
        limit = -1.0
    if not 0 < limit < float("inf"):
        raise ValueError(f"{name}={given}: give a number above 0, or leave it unset for {_DEFAULTS[name]:g}")
    return limit
