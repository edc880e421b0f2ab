"""The tables of a site: runs share one where they upscaled the same clips in the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bench.report.merge import merged
from bench.report.page.tabulated import BodyCell, HeadCell, Line, SortedTable
from bench.report.tables import Table, tables
from bench.store.record import Record

_OPTIONS = ("degradation", "degradation_options", "frames", "clips")
"""Options of a data set that change its clips; its place on a disk does not."""


@dataclass(frozen=True)
class Board:
    """One table. `records` have labels that tell runs and settings apart, `originals` the labels of their runs."""

    title: str
    table: Table
    records: list[Record]
    originals: list[Record]


def boards(runs: Mapping[str, Sequence[Record]]) -> list[Board]:
    """One board for each set of clips, in the order of the runs.

    Runs that used one data set under unlike options, or whose clips of one name have unlike frames or sizes, are on
    boards of their own.
    """
    groups: list[tuple[tuple, dict[str, tuple], dict[str, list[Record]]]] = []
    for run, records in runs.items():
        keys = _keys(records)
        for key in dict.fromkeys(keys):
            own = [replace(r, data_config=_options(r)) for r, its in zip(records, keys, strict=True) if its == key]
            clips = {r.clip: (r.frames, r.lr_size) for r in own if r.frames}
            for other, known, members in groups:
                if other == key and all(known.get(clip, shape) == shape for clip, shape in clips.items()):
                    known.update(clips)
                    members[run] = own
                    break
            else:
                groups.append((key, clips, {run: own}))
    found: list[Board] = []
    titles: Counter[str] = Counter()
    for _, _, members in groups:
        records = merged(members)
        (table,) = tables(records)
        titles[table.title] += 1
        title = f"{table.title} ({titles[table.title]})" if titles[table.title] > 1 else table.title
        originals = [each for own in members.values() for each in own]
        found.append(Board(title, replace(table, title=title), records, originals))
    return found


def sorted_table(board: Board, methods: list[str], folders: Mapping[str, str]) -> SortedTable:
    """A board's table: method, run, n/expected clips, and every figure with its 95 % interval.

    Args:
        folders: of each run's page.
    """
    table = board.table
    runs = {record.method: record.run for record in board.records}
    heads = [HeadCell("method", "text"), HeadCell("run", "text"), HeadCell("clips", "higher")]
    heads += [HeadCell(column.header, column.better, column.signature or "") for column in table.columns]
    lines = []
    for method in table.methods:
        measured, expected = table.counted(method)
        cells = [BodyCell(f"{measured}/{expected}", measured, "lacking" if measured < expected else "")]
        for column in table.columns:
            by, cell = table.ranking_row(method, column), table.cell(method, column, with_interval=True)
            best = "best" if method in table.best(column) else ""
            text = f"{cell.text} {cell.sup}".strip()
            cells.append(BodyCell(text, by.value if by else None, best))
        run = runs[method]
        words = f"{method} {table.data} {run}".lower()
        lines.append(Line(words, method, methods.index(method), cells, run, f"runs/{folders[run]}/index.html"))
    caption = "; ".join(filter(None, (table.caption, "in brackets the 95 % interval", table.trained)))
    return SortedTable(board.title, f"Results on {board.title}", heads, lines, caption)


def _options(record: Record) -> dict[str, Any]:
    return {name: record.data_config.get(name) for name in _OPTIONS}


def _keys(records: Sequence[Record]) -> list[tuple]:
    """The key of each record of a run; clips that could not be opened belong to the others of their data set."""
    opened = {record.data: record for record in records if record.frames}
    like = [r if r.frames else opened.get(r.data, r) for r in records]
    return [
        _key(replace(r, lr_origin=other.lr_origin, lr_made_with=other.lr_made_with))
        for r, other in zip(records, like, strict=True)
    ]


def _key(record: Record) -> tuple:
    """Key of all that must agree for figures in one table."""
    options = tuple(str(each) for each in _options(record).values())
    return record.data, record.scale, record.lr_origin, record.lr_made_with, record.expected_clips, options
