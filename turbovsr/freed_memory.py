"""Memory that one frame frees and the next one takes again stays with the process.

glibc gives large freed blocks back to the system, and each page of a new one costs about 2 microseconds on its first
use: 22 MB of features at 180x320 LR are 5,400 pages a frame. It does so above thresholds that rise when a large block
is freed: to the block's size, at most 32 MiB, for a block alone; to twice that for the end of the heap (mallopt(3),
M_MMAP_THRESHOLD). One block just below that limit, never written to, is all it takes.
"""

from __future__ import annotations

import torch

LARGEST = 31 * 2**20


def keep_freed_memory() -> None:
    """Have up to 62 MiB of freed memory kept for the next allocation; without effect where malloc is not glibc's."""
    torch.empty(LARGEST, dtype=torch.uint8)
