"""Parsing of `KEY=VALUE` words: which are sweeps, and which values are literal paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException

from frames.errors import UserError, one_line

WRITTEN = ("out", "store")
"""Options that name a folder to write to: taken literally, commas included, and never swept."""
PATHS = (*WRITTEN, "root", "gt", "lr", "weights", "param", "prompt", "cwd")
"""Last words of the keys whose value is a path; a value that exists as a path is taken literally."""
MOST_VALUES = 10_000
"""Limit on the values of one sweep."""

_WORD = re.compile(r"""'(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | [^\s,()\[\]{}'"=:$]+""", re.VERBOSE)


class Value(NamedTuple):
    """One value of an option."""

    text: str  # as Hydra's grammar has it
    label: str  # as the user wrote it


@dataclass(frozen=True)
class Option:
    """One option and its value, or the values over which it is swept."""

    key: str
    values: tuple[Value, ...]


def parse(words: Iterable[str]) -> list[Option]:
    """Parse the words of a command line into options, in their order.

    A value that names an existing file or folder is taken literally, whatever characters its name has.

    Raises:
        UserError: a word that is no KEY=VALUE, or a value that cannot be read; one line.
    """
    return [_option(word) for word in words]


def literal(text: str) -> str:
    """Quote a text so that Hydra's grammar takes it literally."""
    return QuotedString(text=text.replace("${", "\\${"), quote=Quote.single).with_quotes()


def _option(word: str) -> Option:
    key, sign, text = word.partition("=")
    if word.startswith("~"):
        raise UserError(f"{word}: options cannot be taken away; write {key.lstrip('~') or 'KEY'}=null or another value")
    if not key.strip("+") or not sign:
        raise UserError(f"cannot read the options: '{word}': write KEY=VALUE")
    last = key.rpartition(".")[2]
    if last in WRITTEN and text != "null":
        return Option(key, _literals(_unquoted(text)))
    if _is_path(text, last):
        return Option(key, _literals(text))
    parts = text.split(",")
    if len(parts) > 1 and all(_is_path(part, last) for part in parts):
        return Option(key, _literals(*parts))
    return Option(key, _values(key, _WORD.sub(_quoted, text), word))


def _literals(*texts: str) -> tuple[Value, ...]:
    return tuple(Value(literal(text), text) for text in texts)


def _values(key: str, text: str, word: str) -> tuple[Value, ...]:
    """Parse a text by Hydra's grammar; a sweep gives several values."""
    try:
        (parsed,) = OverridesParser.create().parse_overrides([f"{key}={text}"])
        if not parsed.is_sweep_override():
            return (Value(text, text),)
        texts = list(map(str, islice(parsed.sweep_string_iterator(), MOST_VALUES + 1)))
    except (HydraException, RecursionError, ValueError, ArithmeticError) as error:  # of range(1,5,0), range(nan,5)
        reason = one_line(error).split(" See ")[0].removeprefix("HydraException: ")
        raise UserError(f"cannot read the options: '{_shown(word)}': {_shown(reason)}") from error
    if len(texts) > MOST_VALUES:
        raise UserError(f"{_shown(word)}: a sweep of more than {MOST_VALUES} values; write fewer")
    return tuple(Value(each, _unquoted(each)) for each in texts)


def _is_path(text: str, last: str) -> bool:
    """Whether a value is meant as a path: it exists as one, and its key or a separator in it says so."""
    if not text or not (last in PATHS or os.sep in text):
        return False
    try:
        return os.path.lexists(text)
    except (OSError, ValueError):  # too long for a name, or with a null byte
        return False


def _unquoted(text: str) -> str:
    """A text without the quotes around it, which a value with a comma used to need."""
    whole = len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in text[1:-1]
    return text[1:-1] if whole else text


def _quoted(match: re.Match[str]) -> str:
    """Quote a word with letters beyond ASCII, which Hydra's grammar does not take otherwise."""
    word = match.group()
    return word if word.isascii() or word[0] in "'\"" else literal(word)


def _shown(text: str, most: int = 200) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
