"""The files of a step: a JSON that grows row by row, a log of all that is printed, and a table at the end."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from frames.errors import ERROR, NOTHING_MEASURED, OK, one_line


class Record:
    """Rows of one step, on disk after each.

    Args:
        step: "check", "headline", "profile" or "training".
        folder: where the files go.
        facts: of `machine.facts`.
        limit_s: start no further row after this many seconds; rows that are not started say so.
    """

    def __init__(self, step: str, folder: Path, facts: dict, limit_s: float = float("inf")) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        words = re.sub(r"[^a-z0-9]+", "-", facts["device"].lower()).strip("-")
        stamp = re.sub(r"[^0-9]", "", facts["date"])[:14]
        self.json = folder / f"{step}-{words}-{stamp}.json"
        self.log = self.json.with_suffix(".log")
        self.data = {"step": step, **facts, "notes": {}, "rows": []}
        self._end = time.monotonic() + limit_s
        self.log.write_text("", encoding="utf-8")
        self.say(
            f"{facts['command']}\n{facts['device']}, driver {facts['driver']}, torch {facts['torch']}, {facts['date']}"
        )
        self._write()

    @property
    def rows(self) -> list[dict]:
        return self.data["rows"]

    @property
    def time_left(self) -> float:
        return self._end - time.monotonic()

    def say(self, text: str) -> None:
        """Print, and write to the log."""
        print(text, flush=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def note(self, name: str, value: object) -> None:
        """Record a value that belongs to no row."""
        self.data["notes"][name] = value
        self._write()

    def measure(self, name: dict, work: Callable[[], dict]) -> dict:
        """Add a row: its names and what `work` returns, or the error, which ends this row alone."""
        row = dict(name)
        if self.time_left <= 0:
            row["error"] = "not started: the time was up"
        else:
            try:
                row |= work()
            except Exception as error:  # out of memory, a compiler that gives up: the other rows still run
                row["error"] = one_line(error)[:500]
        self.rows.append(row)
        self._write()
        self.say("  " + ", ".join(f"{key} {_text(value)}" for key, value in row.items() if value is not None))
        return row

    def exit_code(self) -> int:
        """Exit code: 0 if every row has its figures, 3 if some failed, 2 if all failed."""
        failed = sum("error" in row for row in self.rows)
        if failed == len(self.rows):
            return NOTHING_MEASURED
        return ERROR if failed else OK

    def table(self, columns: dict[str, str], rows: list[dict] | None = None) -> None:
        """Print `columns` (key of a row -> head) of the rows."""
        rows = self.rows if rows is None else rows
        cells = [list(columns.values())]
        for row in rows:
            line = [_text(row.get(key)) for key in columns]
            cells.append(line + [row["error"][:60]] if "error" in row else line)
        widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
        for line in cells:
            padded = [
                cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(line, widths))
            ]
            self.say("  ".join(padded + line[len(columns) :]).rstrip())

    def _write(self) -> None:
        self.json.write_text(json.dumps(self.data, indent=1, default=str) + "\n", encoding="utf-8")


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} {_text(each)}" for key, each in value.items()) + "}"
    return str(value)
