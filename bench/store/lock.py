"""A store's marker file as its lock: who works with the store shares it, and pruning asks whether anybody does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextlib.contextmanager
def held(marker: Path) -> Iterator[None]:
    """Share the lock during the block, where there is a marker and the file system has locks."""
    with contextlib.ExitStack() as stack:
        if fcntl is not None:
            with contextlib.suppress(OSError):
                stream = stack.enter_context(open(marker, "rb"))
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield


def held_by_others(marker: Path) -> bool:
    """Whether a process shares the lock now."""
    if fcntl is None:
        return False
    try:
        with open(marker, "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False
