"""What did not go well: failed cells, incomplete rows, the doctor's findings, doubts about times."""

from __future__ import annotations

from html import escape

from bench.report.tables import Table
from bench.store.record import Record


def badge(records: list[Record], tables: list[Table]) -> str:
    """One short sentence for the head of the page, with a link to the list."""
    failed, missing, found, doubts = _counts(records, tables)
    said = [f"{failed} failed"] * bool(failed) + [f"{missing} not measured"] * bool(missing)
    said += [f"{found} doctor's finding{'s' * (found > 1)}"] * bool(found)
    said += [f"{doubts} doubt{'s' * (doubts > 1)}"] * bool(doubts)
    good = sum(record.status == "ok" for record in records)
    text = f"{good} of {good + failed + missing} cells measured" + "".join(f", {each}" for each in said)
    return f'<a class="badge {"warn" if said else "fine"}" href="#reliability">{escape(text)}</a>'


def section(records: list[Record], tables: list[Table]) -> str:
    """The counts a method, and a line for everything that a reader should know."""
    parts = [_counted(table) for table in tables]
    parts.append(_list("Failed cells", [f"{_where(r)}: {r.reason}" for r in records if r.status != "ok"]))
    findings = [
        f"{_where(record)}: {finding.text}" + f" ({finding.evidence})" * bool(finding.evidence)
        for record in records
        for finding in record.doctor or ()
    ]
    parts.append(_list("The doctor's findings (scored as they are)", findings))
    parts.append(_list("Doubts about times", _doubts(tables)))
    return "".join(parts)


def _counted(table: Table) -> str:
    lines = []
    for method in table.methods:
        measured, expected = table.counted(method)
        state = "" if measured == expected else ' class="lacking"'
        lines.append(f"<li{state}>{escape(method)}: <b>{measured}/{expected}</b> clips</li>")
    return f'<h3>{escape(table.title)}: measured of expected</h3><ul class="counts">{"".join(lines)}</ul>'


def _list(title: str, lines: list[str]) -> str:
    if not lines:
        return f"<h3>{title}</h3><p>None.</p>"
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<h3>{title} ({len(lines)})</h3><ul class="findings">{items}</ul>'


def _doubts(tables: list[Table]) -> list[str]:
    """The notes of the tables, without failures and findings: those are listed with more detail here."""
    return [
        f"{table.data}/{note}"
        for table in tables
        for note in table.notes
        if ": failed: " not in note and ": the doctor says: " not in note
    ]


def _counts(records: list[Record], tables: list[Table]) -> tuple[int, int, int, int]:
    failed = sum(record.status != "ok" for record in records)
    expected = sum(table.expected * len(table.methods) for table in tables)
    findings = sum(len(record.doctor or ()) for record in records)
    return failed, max(0, expected - len(records)), findings, len(_doubts(tables))


def _where(record: Record) -> str:
    return f"{record.data}/{record.clip}, {record.method}"
