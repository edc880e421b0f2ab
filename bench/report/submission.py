"""The summary of a submission: what a reviewer of its pull request reads first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from bench.report.merge import by_settings
from bench.report.tables import tables
from bench.report.text import markdown
from bench.store.record import Record
from frames.text import printable


def summary(name: str, records: Sequence[Record], environment: Mapping[str, Any]) -> str:
    """Markdown: the run's command, machine and commit, and its tables with intervals.

    Args:
        name: of the submission, letters and digits.
        environment: of the run, or of its first worker.
    """
    facts = {
        "command": environment.get("command"),
        "commit": environment.get("commit"),
        "measured": max(record.date for record in records)[:10],
        "device": ", ".join(dict.fromkeys(record.device for record in records)),
        "records": len(records),
    }
    lines = [f"    {key}: {printable(str(value))}" for key, value in facts.items() if value not in (None, "")]
    made = [markdown(table.grid(with_intervals=True)) for table in tables(by_settings(records))]
    return "\n".join([f"# {name}", "", *lines, "", *made])


def paths(records: Sequence[Record]) -> list[str]:
    """`option=path` of each absolute path in the options of data sets and methods, to check before it is public."""
    return list(dict.fromkeys(text for record in records for text in _paths(record)))


def _paths(record: Record) -> Iterator[str]:
    for group, options in (("data", record.data_config), ("method", record.method_config)):
        for key, value in options.items():
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, str) and (PurePosixPath(each).is_absolute() or PureWindowsPath(each).is_absolute()):
                    yield f"{group}.{key}={each}"
