"""Failed cells, incomplete rows, the doctor's findings, doubts about times, absent scores."""

from __future__ import annotations

from dataclasses import dataclass

from bench.report.tables import Table
from bench.store.record import Record


@dataclass(frozen=True)
class Health:
    """A short sentence on the measurements, for the head of the page; `fine` if there is nothing to check."""

    text: str
    fine: bool


def health(records: list[Record], tables: list[Table]) -> Health:
    """Count measured, failed and missing cells, findings and doubts."""
    failed = sum(not record.ok for record in records)
    missing = max(0, sum(table.expected * len(table.methods) for table in tables) - len(records))
    findings, doubts = sum(len(record.doctor or ()) for record in records), len(_doubts(tables))
    checks = [f"{failed} failed"] * bool(failed) + [f"{missing} not measured"] * bool(missing)
    checks += [f"{findings} doctor's finding{'s' * (findings > 1)}"] * bool(findings)
    checks += [f"{doubts} doubt{'s' * (doubts > 1)}"] * bool(doubts)
    good = len(records) - failed
    return Health(
        f"{good} of {good + failed + missing} cells measured" + "".join(f", {each}" for each in checks), not checks
    )


def lists(records: list[Record], tables: list[Table]) -> list[tuple[str, list[str]]]:
    """(title, lines) on everything that a reader should know."""
    findings = [
        f"{_where(record)}: {finding.text}" + f" ({finding.evidence})" * bool(finding.evidence)
        for record in records
        for finding in record.doctor or ()
    ]
    return [
        ("Failed cells", [f"{_where(record)}: {record.reason}" for record in records if not record.ok]),
        ("The doctor's findings (scored as they are)", findings),
        ("Doubts about times, and scores that are absent", _doubts(tables)),
    ]


def _doubts(tables: list[Table]) -> list[str]:
    """The notes of the tables, without failures and findings, which `lists` has in more detail."""
    return [
        f"{table.data}/{note}"
        for table in tables
        for note in table.notes
        if ": failed: " not in note and ": the doctor says: " not in note
    ]


def _where(record: Record) -> str:
    return f"{record.data}/{record.clip}, {record.method}"
