"""Memory that was freed, given back to the system.

The C library keeps freed blocks below some 32 MB for later use. After one part of the work that is what the next part,
with blocks of other sizes, cannot use: hundreds of megabytes at 1920x1080.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Return free memory to the system where the C library, glibc, has a call for it; elsewhere nothing happens."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library; Windows has no handle of the process
        return None
