"""Exit codes, and the errors that a user meets: one clear line, never a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

OK, REGRESSED, NOTHING_MEASURED, ERROR, ENVIRONMENT, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes of every verb. INTERRUPTED is the shell's own code for Ctrl-C."""


class UserError(Exception):
    """A mistake in what the user gave; the message names the thing and the remedy."""

    exit_code = ERROR


class EnvironmentInvalid(UserError):
    """The machine lacks what the configuration asks for (no GPU, no driver)."""

    exit_code = ENVIRONMENT


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`"; did you mean 'bicubic'?"`, or the list of what is known when nothing is near."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.55)
    return f"; did you mean '{near[0]}'?" if near else f"; known: {', '.join(known)}"


def one_line(error: BaseException) -> str:
    """An exception's message on one line, with its type where the message alone would not tell."""
    text = " ".join(str(error).split())
    if isinstance(error, (UserError, ValueError, FileNotFoundError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
