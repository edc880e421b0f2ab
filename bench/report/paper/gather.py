"""The records behind each row of a product."""

from __future__ import annotations

from dataclasses import replace

from bench.labels import parts
from bench.report.paper.spec import RowRule, Spec
from bench.report.same_clips import first_difference
from bench.store.record import Record
from frames.errors import UserError


def rows_of(spec: Spec, runs: dict[str, list[Record]]) -> dict[str, list[Record]]:
    """Row label -> its records, each with its `run`; without rules every method is a row of its own.

    Where several folders hold a row's data set, the one that the spec names first counts.

    Args:
        spec: names folders, in the order in which they count.
        runs: records by folder; a folder that is not there has no entry.
    Raises:
        UserError: a row stands for two methods of one folder, or rows of one data set for unlike clips.
    """
    sources = {
        source.folder: [
            replace(record, run=source.folder)
            for record in runs.get(source.folder, ())
            if not spec.data or parts(record.data)[0] in spec.data
        ]
        for source in spec.sources
    }
    rules = spec.rows or [
        RowRule(label, label) for label in dict.fromkeys(r.method for found in sources.values() for r in found)
    ]
    rows = {rule.label: _row(spec, rule, sources) for rule in rules}
    _refuse_unlike_clips(spec, rows)
    return rows


def _row(spec: Spec, rule: RowRule, sources: dict[str, list[Record]]) -> list[Record]:
    found: dict[str, list[Record]] = {}
    for records in sources.values():
        fitting: dict[str, list[Record]] = {}
        for record in records:
            if record.method == rule.method or rule.fits(record):
                fitting.setdefault(record.data, []).append(record)
        for data, members in fitting.items():
            names = list(dict.fromkeys(record.method for record in members))
            if len(names) > 1:
                raise UserError(
                    f"conf/paper/{spec.name}.yaml: row '{rule.label}' fits {' and '.join(names)} on {data}; "
                    "tell them apart with 'where'"
                )
            found.setdefault(data, members)
    return [record for members in found.values() for record in members]


def _refuse_unlike_clips(spec: Spec, rows: dict[str, list[Record]]) -> None:
    found = first_difference((record.run, record) for records in rows.values() for record in records)
    if found:
        (first, _), (run, record), differs = found
        raise UserError(
            f"conf/paper/{spec.name}.yaml: {first} and {run} used {record.data} under other options ({differs}): "
            "their clips are not the same"
        )
