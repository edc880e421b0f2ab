"""The records of a run folder: `records.jsonl`, one line a cell, appended and flushed (see `bench.store.record`).

Workers of one run have a file each below `records/`: no file is written by two machines, so none has to be locked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from bench.store.moments import moment
from bench.store.record import Record
from bench.store.workers import WorkerFacts, read_workers
from frames.appending import append_whole, without_links
from frames.errors import UserError
from frames.locks import locked
from frames.text_files import unique

FILE, FOLDER = "records.jsonl", "records"
LARGEST = 2 * 2**30  # bytes; more is no file that a run wrote


@dataclass(frozen=True)
class Damage:
    """A line that cannot be read: neither torn at the end of the file by a crash, nor a record."""

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.reason}"


@dataclass(frozen=True)
class RunRecords:
    """Contents of a run folder: the newest record of each cell, and the lines that cannot be read."""

    folder: Path
    records: list[Record]
    damaged: list[Damage]
    torn: Damage | None = None  # the last line, cut short by a crash: its cell is measured again by a rerun

    @property
    def warning(self) -> str:
        """One line on what is damaged; empty where nothing is."""
        if not self.damaged:
            return ""
        more = f" (and {len(self.damaged) - 1} more lines)" if len(self.damaged) > 1 else ""
        return f"{self.damaged[0]}{more}: left out; delete it and measure that cell again"


class RecordFile:
    """One append-only file of records, one line each, written through to the disk.

    Raises:
        UserError: a line is no record, or has a field of another type; file and line are named.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.damaged: list[Damage] = []
        self.torn: Damage | None = None

    def append(self, record: Record) -> None:
        """Write one record through to the disk; a crash later cannot lose it.

        Raises:
            ValueError: it could not be read back: a field has a wrong type.
            OSError: it could not be written as a whole; the file is as before.
            UserError: the file is a link.
        """
        content = record.to_json()
        Record.from_json(content)
        line = (json.dumps(content, allow_nan=False) + "\n").encode()
        self.file.parent.mkdir(exist_ok=True)
        with open(self.file, "a+b", buffering=0, opener=without_links) as stream, locked(self.file):
            if _mend_last_line(stream):
                line = b"\n" + line
            append_whole(stream, line)
            os.fsync(stream.fileno())

    def read(self, cells: Container[tuple] | None = None) -> Iterator[Record]:
        """All readable records; a last line torn by a crash is left out (its cell is simply measured again).

        Args:
            cells: leave the records of other cells out, unchecked; None: none.
        """
        if not self.file.is_file():
            return
        if self.file.stat().st_size > LARGEST:
            raise UserError(f"{self.file}: larger than {LARGEST >> 30} GiB: not a run's records")
        with open(self.file, "rb") as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    data = json.loads(line, object_pairs_hook=unique)
                except (ValueError, RecursionError) as error:
                    damage = Damage(self.file, number, f"unreadable ({_reason(error)})")
                    if line.endswith(b"\n"):
                        self.damaged.append(damage)
                    else:
                        self.torn = damage
                    continue
                if cells is not None and _cell(data) not in cells:
                    continue
                try:
                    yield Record.from_json(data)
                except ValueError as error:
                    raise UserError(
                        f"{self.file}, line {number}: {error}; measure into another folder (out=DIR)"
                    ) from error


class Records:
    """The records of one run folder: of several records of one cell the newest counts.

    A run of one worker appends to `records.jsonl`; workers of a run of many append to files of their own beside it.

    Args:
        cells: see `RecordFile.read`.
    Raises:
        UserError: see `RecordFile`.
    """

    def __init__(self, folder: Path, cells: Container[tuple] | None = None) -> None:
        self.file = Path(folder) / FILE
        self._main = RecordFile(self.file)
        facts = read_workers(Path(folder))
        self._cells: dict[tuple[str, str, str], Record] = {r.cell: _known(r, facts) for r in self._main.read(cells)}
        others = [RecordFile(file) for file in worker_files(Path(folder))]
        for record in sorted((_known(each, facts) for file in others for each in file.read(cells)), key=_place):
            before = self._cells.get(record.cell)
            if before is None or moment(before.date) <= moment(record.date):
                self._cells[record.cell] = record
        self.damaged = [damage for file in (self._main, *others) for damage in file.damaged]
        self.torn = next((file.torn for file in (self._main, *others) if file.torn), None)

    def append(self, record: Record) -> None:
        """Write one record to `records.jsonl` (see `RecordFile.append`)."""
        self._main.append(record)
        self._cells[record.cell] = record

    def all(self) -> list[Record]:
        """The newest record of each cell, in the order in which the cells were first written, or planned."""
        return list(self._cells.values())


def worker_file(folder: Path, worker: str) -> Path:
    """The file of the records of one worker of many."""
    return folder / FOLDER / f"{worker}.jsonl"


def worker_files(folder: Path) -> list[Path]:
    """The files of the records of all workers."""
    return sorted((folder / FOLDER).glob("*.jsonl"))


def is_run(folder: Path) -> bool:
    """Whether a folder holds records."""
    return (Path(folder) / FILE).is_file() or bool(worker_files(Path(folder)))


def runs(root: Path) -> list[Path]:
    """The folders of all runs at or below a folder."""
    shared = {each.parent for each in root.glob(f"**/{FOLDER}") if worker_files(each.parent)}
    return sorted({file.parent for file in root.glob(f"**/{FILE}")} | shared)


def load(folder: Path, cells: Container[tuple] | None = None) -> RunRecords:
    """Read the records of a run folder.

    Args:
        cells: see `RecordFile.read`.
    Raises:
        UserError: there is no such folder, it holds no records, or a line is no record (file and line are named).
    """
    if not is_run(folder):
        raise UserError(f"{folder}: no {FILE} here; give the folder of a run (python -m bench run ... out=DIR)")
    found = Records(folder, cells)
    return RunRecords(Path(folder), found.all(), found.damaged, found.torn)


def _mend_last_line(stream: IO) -> bool:
    """Cut off a last line that a crash tore, so that it never comes to lie between whole ones.

    Returns:
        Whether the last line is whole and lacks nothing but its line break.
    """
    size = stream.seek(0, os.SEEK_END)
    start, tail = size, b""
    while start and b"\n" not in tail:
        step = min(start, 1 << 16)
        start -= step
        stream.seek(start)
        tail = stream.read(step) + tail
    torn = tail.rpartition(b"\n")[2]
    if not torn:
        return False
    try:
        json.loads(torn)
    except (ValueError, RecursionError):
        stream.truncate(size - len(torn))
        stream.seek(0, os.SEEK_END)
        return False
    return True


def _known(record: Record, facts: Mapping[str, WorkerFacts]) -> Record:
    """The record with the host and the canary of its worker."""
    found = facts.get(record.worker)
    return record if found is None else replace(record, host=found.host, canary=tuple(found.canary))


def _place(record: Record) -> tuple[int, datetime]:
    """Sort key of workers' records: as planned, the newest of one cell last."""
    return record.unit or 0, moment(record.date)


def _cell(data: Any) -> tuple[str, ...]:
    """`Record.cell` of a line's content; what is no text agrees with no cell."""
    return tuple(str(data.get(name)) for name in ("data", "clip", "method")) if isinstance(data, dict) else ()


def _reason(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(error, (RecursionError, json.JSONDecodeError)):
        return "too deeply nested" if isinstance(error, RecursionError) else "not JSON"
    return str(error)  # a key comes twice, or a number has more digits than Python converts
