"""JSON entries of the store, each with a checksum over its name and content."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, TypeVar

from bench.store import typed
from bench.store.owner import make_temporary
from frames.door import check_regular
from frames.errors import UserError

T = TypeVar("T")
_LARGEST = 256 << 20  # bytes


class Damaged(UserError, ValueError):
    """An entry does not hold what was kept under its name; the message is the reason."""


def write_entry(file: Path, content: Any) -> None:
    """Write a dataclass as an entry, atomically."""
    data = typed.to_json(content)
    temporary = make_temporary(file.parent)
    try:
        text = json.dumps({"sha256": _checksum(file.name, data), "content": data}, allow_nan=False)
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, file)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_entry(file: Path, kind: type[T]) -> T | None:
    """Read an entry as a dataclass; None if there is no such file, or one of a version that kept no checksums.

    Raises:
        Damaged: the file holds something else than what was kept under its name.
        OSError: it cannot be read.
    """
    try:
        if check_regular(file).st_size > _LARGEST:
            raise Damaged(f"larger than {_LARGEST >> 20} MiB")
        entry = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, Damaged) else Damaged("unreadable") from error
    if isinstance(entry, dict) and "sha256" not in entry:
        return None
    if not isinstance(entry, dict) or entry.keys() != {"sha256", "content"}:
        raise Damaged("not an entry of the store")
    if entry["sha256"] != _checksum(file.name, entry["content"]):
        raise Damaged("its checksum does not fit")
    try:
        return typed.from_json(kind, entry["content"])
    except ValueError as error:
        raise Damaged(str(error)) from error


def _checksum(name: str, content: Any) -> str:
    """The checksum of an entry's name and content, so that a renamed entry is noticed, too."""
    return hashlib.sha256(json.dumps([name, content], sort_keys=True).encode()).hexdigest()
