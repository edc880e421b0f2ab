"""A store's marker file as its lock: processes that use the store share it, and pruning checks for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from frames.locks import locked


@contextlib.contextmanager
def held(marker: Path) -> Iterator[None]:
    """Share the lock during the block, if the marker can be opened."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            stack.enter_context(locked(marker, wait=False, shared=True))
        yield


def held_by_others(marker: Path) -> bool:
    """Whether a process shares the lock now."""
    try:
        with locked(marker, wait=False):
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False
