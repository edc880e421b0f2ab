"""Management of freed memory: it stays with the process from frame to frame, and is returned to the system between the
steps of a chunk of large frames.

glibc gives large freed blocks back to the system, and each page of a new one costs about 2 microseconds on its first
use: 22 MB of features at 180x320 LR are 5,400 pages a frame. It does so above thresholds that rise when a large block
is freed: to the block's size, at most 32 MiB, for a block alone; to twice that for the end of the heap (mallopt(3),
M_MMAP_THRESHOLD). One block just below that limit, never written to, is all it takes.

Free memory between blocks in use stays as well, and the blocks of the next step, which have other sizes, may not fit
into it. malloc_trim(3) returns it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import torch

LARGEST = 31 * 2**20


def keep_freed_memory() -> None:
    """Keep up to 62 MiB of freed memory for the next allocation; no effect where malloc is not glibc's."""
    torch.empty(LARGEST, dtype=torch.uint8)


def give_back_freed_memory() -> None:
    """Return all free memory to the system; no effect where malloc is not glibc's."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library; Windows has no handle of the process
        return None
