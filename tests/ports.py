"""Ports of this machine for servers that tests start."""

import os
import socket

BLOCK = 64
_FIRST, _BLOCKS = 10000, 300  # below those that systems hand out to connections (Linux: 32768 and above)


def free_block() -> int:
    """The first of BLOCK neighbouring ports that no other process of the tests takes; the first two are free now.

    A port that the system picks for a socket may go to another program between its closing and the server's start.

    Raises:
        RuntimeError: none is left.
    """
    for attempt in range(_BLOCKS):
        first = _FIRST + BLOCK * ((os.getpid() + attempt) % _BLOCKS)
        if _is_free(first) and _is_free(first + 1):
            return first
    raise RuntimeError("no free ports for a server of the tests")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
