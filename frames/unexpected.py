"""Unforeseen errors: one line that names the current file, and the traceback in a log."""

from __future__ import annotations

import dis
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from frames.errors import UserError, one_line

ROOT = Path(__file__).resolve().parents[1]
OWN = ("frames", "bench", "baselines", "turbovsr", "studies")
"""This project's packages, below ROOT."""


def is_deliberate(error: BaseException) -> bool:
    """Whether the message was written for the user: raised by this project, or a system error on a named file."""
    if isinstance(error, UserError) or (isinstance(error, OSError) and error.filename is not None):
        return True
    if type(error) not in (ValueError, RuntimeError) and not isinstance(error, OSError):
        return False
    last = list(_entries(error))[-1:]
    # the innermost frame is ours and stopped at a `raise`, not inside a function of Python's own like int("x")
    return any(_is_own(e) and e.tb_frame.f_code.co_code[e.tb_lasti] == dis.opmap["RAISE_VARARGS"] for e in last)


def story(error: BaseException) -> str:
    """One line on an unexpected error: the file at hand, what happened, and where the traceback was written."""
    kind = "not enough memory" if isinstance(error, MemoryError) else f"unexpected {type(error).__name__}"
    text = " ".join(str(error).split())[:300]
    return f"{_at_hand(error)}: {kind}{': ' * bool(text)}{text}; {_logged(error)}"


def _entries(error: BaseException) -> Iterator[TracebackType]:
    """The stack frames that the error passed, outermost first."""
    entry = error.__traceback__
    while entry is not None:
        yield entry
        entry = entry.tb_next


def _is_own(entry: TracebackType) -> bool:
    file = Path(entry.tb_frame.f_code.co_filename)
    return file.is_relative_to(ROOT) and file.relative_to(ROOT).parts[0] in OWN


def _at_hand(error: BaseException) -> str:
    """The file that the innermost function of this project worked on, else the arguments."""
    for entry in filter(_is_own, reversed(list(_entries(error)))):
        paths = [value for value in entry.tb_frame.f_locals.values() if isinstance(value, Path)]
        if paths:
            return str(paths[-1])
    return " ".join(sys.argv[1:3])


def _logged(error: BaseException) -> str:
    """Write the traceback into a new temporary file; returns a sentence that says where it is."""
    try:
        number, name = tempfile.mkstemp(prefix="bench-", suffix=".log")
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError as problem:
        return f"no log could be written ({one_line(problem)}); BENCH_TRACEBACK=1 shows the traceback"
    return f"the traceback is in {name}"
