"""Tables for people: one for each data set, methods down, speed and quality across."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bench.report import cited, columns, intervals
from bench.report.columns import Column, Fact
from bench.report.grid import BEST, FEWEST_TIED, MARKS, Block, Cell, Grid, Head, figure, listed, rank
from bench.report.machines import split_by_canary, times_note
from bench.report.methods import RANDOM_NOTE, random_methods, trained_on
from bench.report.nearness import place, ranking_row, unranked_notes
from bench.report.notes import by_note, files_notes, frames_notes, score_notes, time_doubts
from bench.report.summary import TIMES, Row, clip_frames, mixed, most_clips, rows
from bench.report.trace import sources
from bench.store.record import Record
from bench.timing.stats import mean
from frames.errors import UserError, did_you_mean

RANDOM, TRAINED = "§", "¶"
TRAINED_NOTE = "the weights were trained on this metric, so it flatters them"


@dataclass(frozen=True)
class Table:
    """The table of one data set; a cell is a row of `summary`, whose value is None if nothing was measured."""

    data: str
    title: str
    caption: str
    columns: list[Column]
    methods: list[str]
    cells: dict[tuple[str, Column], Row]
    expected: int  # clips of the set, or as many as data.clips names
    notes: list[str]
    shown: list[Column | Fact] = field(default_factory=list)  # what is printed, in order; empty: `columns`
    random: frozenset[str] = frozenset()  # methods with random weights, of which no quality is shown
    records: list[Record] = field(default_factory=list, repr=False)
    cited: list[cited.Figure] = field(default_factory=list)
    versions: Mapping[str, str] = field(default_factory=dict)  # clip -> its source, where several clips have one
    _marks: dict[Column, dict[str, str]] = field(default_factory=dict, compare=False, repr=False)  # found once

    def text(self, method: str, column: Column) -> str:
        """The printed figure, with n/expected if others of the method have more clips; a dash if there is none."""
        row = self.cells.get((method, column))
        if row is None or row.value is None:
            return "–"
        value = figure(row.value, column.digits)
        return value if row.n == self.counted(method)[0] else f"{value} ({row.n}/{row.expected})"

    def is_trained_on(self, method: str, column: Column | Fact) -> bool:
        """Whether a method's weights were trained on a column's metric, so that its figure is marked."""
        return isinstance(column, Column) and column.metric in self._trained_on.get(method, ())

    @property
    def trained(self) -> str:
        """The caption's part on marked figures; empty where there are none."""
        marked = any(self.is_trained_on(method, column) for method, column in self.cells)
        return f"{TRAINED} {TRAINED_NOTE}" if marked else ""

    def counted(self, method: str) -> tuple[int, int]:
        """(clips measured, clips expected) of a method."""
        return self._measured.get(method, 0), self.expected

    @cached_property
    def _measured(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for (method, _), row in self.cells.items():
            found[method] = max(row.n, found.get(method, 0))
        return found

    @cached_property
    def _trained_on(self) -> dict[str, set[str]]:
        return trained_on(self.records)

    @cached_property
    def _of_method(self) -> dict[str, list[Record]]:
        found: dict[str, list[Record]] = {}
        for record in self.records:
            found.setdefault(record.method, []).append(record)
        return found

    @property
    def header(self) -> list[str]:
        """Column titles, with one for the number of clips if any are missing."""
        shown = self.shown or self.columns
        return ["method", *(["clips"] if self.incomplete else []), *(column.header for column in shown)]

    @cached_property
    def incomplete(self) -> bool:
        return any(measured < expected for measured, expected in map(self.counted, self.methods))

    def best(self, column: Column) -> set[str]:
        """The methods that share the best figure (see `marks`)."""
        return {method for method, mark in self.marks(column).items() if mark == BEST}

    def marks(self, column: Column) -> dict[str, str]:
        """Best and second among the methods that have the same, most clips; ties within the interval share the mark."""
        if column not in self._marks:
            there = [m for m in self.methods if (r := self.cells.get((m, column))) and r.value is not None]
            by = {method: self.ranking_row(method, column) for method in there}
            found = {method: row for method, row in by.items() if row} if all(by.values()) else {}
            clips = most_clips(found.values())
            values = {
                method: row.value
                for method, row in found.items()
                if row.clips == clips and row.value is not None and not math.isnan(row.value)
            }
            self._marks[column] = rank(
                values,
                column.better,
                lambda method: self.text(method, column),
                lambda one, other: _tied(found[one], found[other], self.versions),
            )
        return self._marks[column]

    def ranking_row(self, method: str, column: Column) -> Row | None:
        """The row that ranks a method: its figures, or their distances to GT's own values; None if there is none."""
        return ranking_row(self.cells.get((method, column)), column, self._of_method.get(method, []))

    def grid(self, with_intervals: bool = False) -> Grid:
        """The table as it is printed."""
        shown: list[Column | Fact] = self.shown or [*self.columns]
        lines = []
        for method in self.methods:
            line = [Cell(method, sup=RANDOM if method in self.random else "")]
            if self.incomplete:
                line.append(Cell("{}/{}".format(*self.counted(method))))
            line += [self.cell(method, column, with_intervals) for column in shown]
            lines.append(tuple(line))
        heads = [Head(header, numeric=index > 0) for index, header in enumerate(self.header)]
        blocks, notes = [Block(tuple(lines))], list(self.notes)
        if self.cited:
            block, more = cited.block(self.cited, heads, shown, self.records)
            blocks.append(block)
            notes += more
        caption = self.caption + (f"; {MARKS}" if any(cell.mark for line in lines for cell in line) else "")
        if any(cell.sup == TRAINED for line in lines for cell in line):
            caption += f"; {self.trained}"
        if with_intervals:
            caption += "; in brackets the 95 % interval, of scores over clips, of times over repetitions"
        return Grid(self.title, caption, tuple(heads), tuple(blocks), tuple(notes), self.data)

    def cell(self, method: str, column: Column | Fact, with_interval: bool = False, counted: bool = False) -> Cell:
        """One cell as printed, with its mark and the sources of its figure.

        Args:
            with_interval: print the 95 % interval, too.
            counted: print n/expected wherever clips are missing, for a table without a column of its own for that.
        """
        own = self._of_method.get(method, [])
        if isinstance(column, Fact):
            return Cell(column.text(own))
        if column.is_quality and method in self.random:
            return Cell("–", sup=RANDOM)
        row, text = self.cells.get((method, column)), self.text(method, column)
        if row is None or row.value is None:
            return Cell(text)
        if with_interval and row.interval:
            low, high = (figure(end, column.digits) for end in row.interval)
            text += f" [{low}, {high}]"
        if counted and row.n < row.expected and row.n == self.counted(method)[0]:  # otherwise `text` has it
            text += f" ({row.n}/{row.expected})"
        mark = TRAINED if self.is_trained_on(method, column) else ""
        return Cell(text, self.marks(column).get(method, ""), sup=mark, sources=sources(row, own))


def tables(
    records: list[Record],
    mix: bool = False,
    show: list[str] | None = None,
    only: list[str] | None = None,
    sort: str | None = None,
    cite: list[cited.Figure] | None = None,
) -> list[Table]:
    """Build a table for each data set, in the order of the records.

    Args:
        mix: let unlike signatures share a column, whose head then says so; otherwise they never do.
        show: columns by name (see `columns.choose`); None: all metrics.
        only: methods, in the order wanted; None: all, in the order of the records.
        sort: a column's name, best first, or `method`.
        cite: published figures to print below those of the same data set.
    Raises:
        UserError: a column or a method that is in none of the records.
    """
    records = split_by_canary(records)
    found = rows(records, of_clips=False)
    known = {row.metric for row in found}
    methods = set(dict.fromkeys(record.method for record in records))
    for method in only or ():
        if method not in methods:
            raise UserError(f"unknown row '{method}'{did_you_mean(method, methods)}")
    if sort and sort != "method" and sort not in known:
        raise UserError(f"cannot sort by '{sort}'{did_you_mean(sort, known | {'method'})}")
    made = []
    for data in dict.fromkeys(record.data for record in records):
        chosen = [r for r in records if r.data == data and (only is None or r.method in only)]
        if chosen:
            made.append(_table(data, chosen, [r for r in found if r.data == data], mix, show, only, sort, known, cite))
    return made


def _table(
    data: str,
    records: list[Record],
    found: list[Row],
    mix: bool,
    show: list[str] | None,
    only: list[str] | None,
    sort: str | None,
    known: set[str],
    cite: list[cited.Figure] | None,
) -> Table:
    methods = [m for m in only if any(r.method == m for r in records)] if only else None
    methods = methods or list(dict.fromkeys(record.method for record in records))
    random = random_methods(records)
    total = [row for row in found if row.method in methods]
    total = mixed(total) if mix else total
    all_columns = columns.of_records(records, total, mix)
    shown: list[Column | Fact] = columns.choose(all_columns, show, known) if show else [*all_columns]
    cells = {
        (row.method, column): row
        for row in total
        for column in all_columns
        if column.holds(row) and not (column.is_quality and row.method in random)
    }
    clips = clip_frames(records)
    expected = records[-1].expected_clips
    dtypes = listed(r.descriptor.dtype for r in records if r.descriptor and r.descriptor.dtype)
    precisions = f", {dtypes}" if dtypes else ""
    frames, total_clips = sum(clips.values()), expected or len(clips)
    caption = (
        f"{len(clips)}{'' if len(clips) == expected else f' of {expected}'} clip{'s' * (total_clips != 1)}, "
        f"{frames} frame{'s' * (frames != 1)}; "
        f"protocol {listed(r.protocol for r in records)}; "
        f"LR {listed(r.lr_origin for r in records if r.frames)}; {listed(r.device for r in records)}{precisions}; "
        f"{times_note(records)}; "
        f"{max(r.date for r in records)[:10]}"
    )
    title = f"{data} ×{listed(r.scale for r in records)}"
    notes = [f"{RANDOM} {method}: {RANDOM_NOTE}" for method in methods if method in random] + _notes(records)
    if sort == "method":
        methods.sort()
    elif sort:
        for by in [column for column in all_columns if column.metric == sort][:1]:
            methods.sort(key=lambda method: place(cells.get((method, by)), by, records))
    quoted = [f for f in cite or () if f.is_about(data)]
    return Table(
        data, title, caption, all_columns, methods, cells, expected, notes, shown, frozenset(random), records, quoted
    )


def _tied(one: Row, other: Row, versions: Mapping[str, str]) -> bool:
    """Whether the interval of the difference (of the ratio of times) leaves open which of the two is better.

    Versions of one clip are one sample, as frames of one clip are: their mean. Under `FEWEST_TIED` of them scores are
    ranked as they are, since by Student's interval of two nearly everything would tie.
    """
    if one.metric.split("-")[0] in TIMES:
        ratio = intervals.of_ratio(list(one.evidence.values()), list(other.evidence.values()))
        return ratio is not None and ratio[0] <= 1 <= ratio[1]
    sides: list[dict[str, list[float]]] = [{}, {}]
    for side, row in zip(sides, (one, other), strict=True):
        for clip, (value,) in row.evidence.items():
            side.setdefault(versions.get(clip, clip), []).append(value)
    ours, theirs = ({clip: mean(values) for clip, values in side.items()} for side in sides)
    difference = intervals.of_difference(ours, theirs) if len(ours) >= FEWEST_TIED else None
    return difference is not None and difference[0] <= 0 <= difference[1]


def _notes(records: list[Record]) -> list[str]:
    """Failures and findings, clip by clip, and doubts about times, each with all its clips and methods."""
    found = [f"{r.clip}, {r.method}: failed: {r.reason}" for r in records if r.status != "ok"]
    found += [
        f"{record.clip}, {record.method}: the doctor says: {finding.text} (scored as it is)"
        for record in records
        for finding in record.doctor or ()
    ]
    doubts: dict[str, dict[str, list[str]]] = {}  # doubt -> method -> clips
    for record in records:
        for times in record.timing.values():
            for doubt in time_doubts(times):
                doubts.setdefault(doubt, {}).setdefault(record.method, []).append(record.clip)
    unlike = [*frames_notes(records), *files_notes(records)]
    return [*found, *unlike, *score_notes(records), *unranked_notes(records), *by_note(doubts)]
