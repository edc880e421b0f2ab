"""The records of a run: one JSON line a finished or failed cell (data set x clip x method), appended and flushed."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from frames.errors import UserError

FILE = "records.jsonl"
SCHEMA = 1


class Records:
    """The append-only `records.jsonl` of one run folder; of several records of one cell the newest counts."""

    def __init__(self, folder: Path) -> None:
        self.file = Path(folder) / FILE
        self._cells: dict[tuple[str, str, str], dict] = {}
        if self.file.is_file():
            for record in _complete_lines(self.file):
                self._cells[_cell(record)] = record

    def append(self, record: dict[str, Any]) -> None:
        """Write one record through to the disk; a crash later cannot lose it."""
        record = {"schema": SCHEMA, **record}
        line = (json.dumps(_encode(record), allow_nan=False) + "\n").encode()
        with open(self.file, "ab", buffering=0) as stream, _alone(stream):
            if _is_torn(self.file):
                line = b"\n" + line
            stream.write(line)
            os.fsync(stream.fileno())
        self._cells[_cell(record)] = record

    def all(self) -> list[dict]:
        """The newest record of each cell, in the order in which the cells were first written."""
        return list(self._cells.values())


def load(folder: Path) -> list[dict]:
    """The records of a run folder.

    Raises:
        UserError: there is no such folder, or it holds no records.
    """
    if not (Path(folder) / FILE).is_file():
        raise UserError(f"{folder}: no {FILE} here; give the folder of a run (python -m bench run ... out=DIR)")
    return Records(folder).all()


@contextmanager
def _alone(stream: IO) -> Iterator[None]:
    """Hold the file's lock where the system has one: two runs may share a folder."""
    if fcntl is None:
        yield
        return
    fcntl.flock(stream, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(stream, fcntl.LOCK_UN)


def _is_torn(file: Path) -> bool:
    """Whether the last line was cut short by a crash."""
    with open(file, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        if not size:
            return False
        stream.seek(size - 1)
        return stream.read(1) != b"\n"


def _cell(record: dict) -> tuple[str, str, str]:
    return record["data"], record["clip"], record["method"]


def _complete_lines(file: Path) -> list[dict]:
    """All readable records; a line torn by a crash is left out (its cell is simply measured again)."""
    records = []
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = _decode(json.loads(line))
        except json.JSONDecodeError:
            continue
        if not isinstance(record, dict) or record.get("schema") != SCHEMA:
            raise UserError(f"{file}, line {number}: not a record of schema {SCHEMA}; use another out=DIR")
        records.append(record)
    return records


def _encode(value: Any) -> Any:
    """Infinity (PSNR of equal frames) as a string: JSON has no number for it."""
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(item) for item in value]
    return value


def _decode(value: Any) -> Any:
    if value in ("Infinity", "-Infinity"):
        return float(value)
    if isinstance(value, dict):
        return {key: _decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decode(item) for item in value]
    return value
