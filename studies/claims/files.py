"""JSON files of the study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from frames.atomic import replacing
from frames.text_files import parse_json

REMEDY = "remove it and repeat the command"


def read(path: Path, lines: bool = False) -> Any:
    """Read a JSON file, or with `lines` a list of the values of its lines; None if there is no file.

    Raises:
        ValueError, UserError: it is damaged.
    """
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    if lines:
        return [parse_json(line, str(path), REMEDY) for line in text.splitlines()]
    return parse_json(text, str(path), REMEDY)


def write(path: Path, value: Any) -> None:
    """Write a value as a JSON file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
