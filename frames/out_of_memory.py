"""Recognition of errors that mean that memory was refused."""

from __future__ import annotations

import errno
import re

_OUT_OF_MEMORY = re.compile(
    r"out of memory|can't allocate memory|cannot allocate memory|not enough memory|insufficient memory|bad_alloc"
    r"|failed to allocate|could not create a memory|can't start new thread|_ALLOC(ATION)?_FAILED",  # the last: CUDA's
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory was refused, a GPU's or the machine's; libraries word it differently."""
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, MemoryError) or says_out_of_memory(str(error))


def says_out_of_memory(text: str) -> bool:
    """Whether the text of an error, or a program's output, says that memory was refused."""
    return bool(_OUT_OF_MEMORY.search(text))
