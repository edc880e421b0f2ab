"""Processes that a method's code forks, as multiprocessing does: they end with that code, and are no second run."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

_ENDING = ("SIGTERM", "SIGHUP", "SIGUSR1")


@contextmanager
def no_second_run() -> Iterator[None]:
    """End a process that was forked in the block when it leaves the block, with its error printed as Python does."""
    process, code = os.getpid(), 0
    try:
        yield
    except SystemExit as error:
        if os.getpid() == process:
            raise
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        if os.getpid() == process:
            raise
        traceback.print_exc()
        code = 1
    if os.getpid() != process:
        os._exit(code)


def _end_by_signals() -> None:
    """Let signals end a forked process at once; in the run they raise KeyboardInterrupt, or wait."""
    for number in (getattr(signal, name) for name in _ENDING):
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_end_by_signals)
