"""Reading of text files from outside, with the file's name and a remedy in every error."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from frames.door import reading
from frames.errors import UserError

MAX_BYTES = 1 << 30


def read_text(path: str | Path, remedy: str = "replace the file") -> str:
    """A whole UTF-8 text file.

    Args:
        remedy: what to do about a damaged one, for messages.
    Raises:
        FileNotFoundError, ValueError: as `frames.door.reading`.
        UserError: larger than 1 GiB, or not UTF-8.
    """
    path = Path(path)
    with reading(path) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UserError(f"{path}: larger than 1 GiB, which no text here is; {remedy}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}: line {line} is not UTF-8 text; {remedy}") from None


def read_json(path: str | Path, remedy: str = "replace the file") -> Any:
    """The content of a JSON file; arguments and errors as `read_text`, and UserError for what is not JSON."""
    return parse_json(read_text(path, remedy), str(path), remedy)


def parse_json(text: str, where: str, remedy: str = "replace the file") -> Any:
    """The content of a JSON text.

    Args:
        where: the file, perhaps with the line, for messages.
    Raises:
        UserError: not JSON, a key that comes twice, or nested so deeply that it cannot be read.
    """
    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        what = "it is empty" if not text.strip() else f"{error.msg} in line {error.lineno}, column {error.colno}"
        raise UserError(f"{where}: not readable as JSON ({what}); {remedy}") from None
    except RecursionError:
        raise UserError(f"{where}: nested too deeply to be read as JSON; {remedy}") from None
    except ValueError as error:  # a key comes twice, or a number has more digits than Python converts
        raise UserError(f"{where}: not readable as JSON ({error}); {remedy}") from None


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON for `json.loads(..., object_pairs_hook=unique)`, which by itself takes the last of equal keys.

    Raises:
        ValueError: a key comes twice.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice[:40]!r} comes twice")
    return found
