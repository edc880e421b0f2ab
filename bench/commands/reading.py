"""Reading of run folders: damaged lines and files are reported on stderr, or refused."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from bench.store.record import Record
from bench.store.records import load, runs
from frames.errors import UserError, one_line
from frames.text_files import read_json


def read_run(folder: Path) -> list[Record]:
    """Read a run's records, with a warning on stderr if lines are damaged.

    Raises:
        UserError: see `bench.store.records.load`.
    """
    found = load(folder)
    if found.damaged:
        print(f"bench: {found.warning}", file=sys.stderr)
    return found.records


def read_runs(folders: Iterable[Path]) -> dict[str, list[Record]]:
    """The records of several runs, by folder."""
    return {str(folder): read_run(folder) for folder in folders}


def read_environment(file: Path) -> dict:
    """Read a run's environment.json; {} if it is absent, or damaged, which is reported on stderr."""
    if not file.is_file():
        return {}
    try:
        found = read_json(file)
        if isinstance(found, dict):
            return found
        raise UserError(f"{file}: not a run's environment")
    except (UserError, ValueError, OSError) as error:
        print(f"bench: {one_line(error)}; the report is made without it", file=sys.stderr)
        return {}


def run_folders(folders: Iterable[Path], remedy: str) -> list[Path]:
    """The runs at or below each folder, each once.

    Args:
        remedy: what to give instead, for the message.
    Raises:
        UserError: there is none in one of them.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        below = runs(folder)
        if not below:
            raise UserError(f"{folder}: no run here; {remedy}")
        for run in below:
            found.setdefault(run.resolve(), run)
    return list(found.values())


def read_undamaged(folder: Path) -> list[Record]:
    """Read a run's records for a comparison, which takes no damaged ones.

    Raises:
        UserError: lines are damaged or torn; see `bench.store.records.load` for the others.
    """
    found = load(folder)
    damaged = [*found.damaged[:3], *([found.torn] if found.torn else [])]
    if damaged:
        raise UserError(
            f"{'; '.join(map(str, damaged))}: a damaged line cannot be compared; delete it and measure that cell again"
        )
    return found.records
