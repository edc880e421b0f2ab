"""Exit codes, and the errors that a user meets: one clear line, never a traceback."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

from frames.text import printable

OK, REGRESSED, NOTHING_MEASURED, ERROR, ENVIRONMENT, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes of every command. INTERRUPTED is the shell's own code for Ctrl-C."""


class UserError(Exception):
    """A mistake in what the user gave; the message names the thing and the remedy."""

    exit_code = ERROR


class EnvironmentInvalid(UserError):
    """The machine lacks what the configuration asks for (no GPU, no driver)."""

    exit_code = ENVIRONMENT


_REMEDIES = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some space, or write to another disk",
    errno.EROFS: "write to another disk",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.EMFILE: "raise the limit with ulimit -n",
    errno.ENAMETOOLONG: "give a shorter name",
}


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A hint for an unknown word: `"; did you mean 'bicubic'?"`, or all known words where none is similar."""
    known = sorted(known)
    if not known:
        return "; there are none here"
    near = difflib.get_close_matches(str(word), known, n=1, cutoff=0.55)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(known)}"


def one_line(error: BaseException) -> str:
    """An exception's message on one line, with its type where the message alone would not tell.

    A system error becomes the file, the reason and, where one is known, the remedy. Control characters, which file
    names may hold, are escaped.
    """
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        name = " ".join(str(error.filename).split())
        remedy = _REMEDIES.get(error.errno or 0)
        return printable(f"{name}: {error.strerror}" + (f"; {remedy}" if remedy else ""))
    text = printable(" ".join(str(error).split()))
    if isinstance(error, (UserError, ValueError, FileNotFoundError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def short_line(error: BaseException, most: int = 200) -> str:
    """`one_line` cut to `most` characters, for errors of libraries, which may fill a page."""
    text = one_line(error)
    return text if len(text) <= most else text[: most - 3] + "..."
