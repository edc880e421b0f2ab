"""Locks on files and folders, held for a `with` block and released however the process ends.

They use `flock` on an open file. Where that is missing (Windows, some network drives), every lock succeeds.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_open: set[int] = set()


@contextlib.contextmanager
def locked(path: str | Path, wait: bool = True, shared: bool = False) -> Iterator[None]:
    """Hold the lock of a file or a folder during the block. A missing file is created, empty.

    Args:
        wait: wait until other processes have released it.
        shared: hold it together with others that share it; otherwise alone.
    Raises:
        BlockingIOError: others hold it, and `wait` is false.
        OSError: the path cannot be opened.
    """
    if fcntl is None:
        yield
        return
    # NFS gives an exclusive lock only on a file that is open for writing.
    file = _opened(path, os.O_RDONLY if shared or os.path.isdir(path) else os.O_RDWR)
    _open.add(file)
    try:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        _open.discard(file)
        os.close(file)


def _opened(path: str | Path, access: int) -> int:
    """Open or create a file; for reading only where writing is not permitted."""
    try:
        return os.open(path, access if os.path.exists(path) else access | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY)


def _release_in_child() -> None:
    """Close the locks in a forked process, which would otherwise hold them after its parent has ended."""
    for file in _open:
        os.close(file)
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_in_child)
