"""Scores and speed of methods over runs of several commits: lines join only figures that can be compared."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median
from typing import Any

from bench.report import intervals
from bench.report.columns import device_of
from bench.report.grid import Block, Cell, Grid, Head, figure
from bench.report.intervals import Interval
from bench.report.merge import by_settings
from bench.report.summary import Row, rows
from bench.store import moments
from bench.store.record import Record, Score
from bench.store.unlike_frames import frame_digests

SPEED = ("fps", "fps-files")
RELATIVE = "speed"
"""A reference method's time over the method's own, in the same run."""
BUSY = "not judged: a busy machine"
_PLACES = ("root", "gt", "clips")
"""Options of a data set that name its place or the wanted clips; they may differ, as the clips are compared."""

Frames = dict[tuple[str, str, str], str]
"""(data, clip, "GT" or "LR") -> digest."""
Judge = Callable[[str, Score | None, float, Interval | None], str]
"""(metric, its score, change, interval) -> verdict; positive is better. Of speed the score is None, and the change is
the logarithm of a ratio."""


@dataclass(frozen=True)
class Run:
    """One run, with its date and commit."""

    name: str
    date: str
    commit: str  # "" where it is not known
    is_modified: bool
    records: list[Record] = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        """The commit, or the run's name if none is known; with + if the code was modified."""
        return (self.commit[:7] or self.name) + "+" * self.is_modified


@dataclass(frozen=True)
class Change:
    """The change of a figure since an earlier point of its line; positive is better."""

    value: float
    interval: Interval | None
    verdict: str


@dataclass(frozen=True)
class RunResult:
    """One result of one run: a score or a time of one method on one data set."""

    run: Run
    row: Row
    machine: str  # of a time; "" for scores
    is_busy: bool = False  # other processes slowed some of its times down
    since_previous: Change | None = None  # None: a line begins here, or the figures of this metric are not judged
    since_first: Change | None = None


@dataclass(frozen=True)
class Line:
    """One metric of one method on one data set; each part joins runs that may be compared."""

    data: str
    method: str
    metric: str
    title: str
    unit: str
    better: str
    digits: int | None
    parts: list[list[RunResult]]


def in_order(runs: Iterable[Run]) -> list[Run]:
    """The runs, sorted by the date of their last records."""
    return sorted(runs, key=lambda run: (moments.moment(run.date), run.name))


def lines(runs: Sequence[Run], judge: Judge, reference: str | None = None) -> list[Line]:
    """The lines of all methods and metrics, in the order of the runs' dates.

    A part of a line ends where the recipe, the clips, the method's options or, of a time, the machine change; that of a
    relative speed where the reference's options or precision change, too; that of a score where the clips' frames do.

    Args:
        reference: the method whose time is the unit of speed; None: frames a second.
    """
    found: dict[tuple[str, str, str], list[tuple[str, RunResult, Score | None]]] = {}
    runs = in_order(runs)
    frames = _frames(reversed(runs))  # the first that are known
    for run in runs:
        frames |= _frames([run])
        records = by_settings(run.records)
        good: dict[tuple[str, str], list[Record]] = {}
        for record in records:
            if record.ok:
                good.setdefault((record.data, record.method), []).append(record)
        for row in _figures(records, reference):
            own = good.get((row.data, row.method), [])
            base = good.get((row.data, reference or ""), []) if row.metric == RELATIVE else []
            score = next((r.scores[row.metric] for r in own if row.metric in r.scores), None)
            if row.value is None or (score is None and not is_speed(row.metric)):
                continue
            busy = any(times.busy for r in own + base for times in r.timing.values())
            result = RunResult(run, row, _machine(row), busy) if score is None else RunResult(run, row, "")
            entry = _key(row, own, base, frames), result, score
            found.setdefault((row.data, row.method, row.metric), []).append(entry)
    return [_line(key, entries, judge) for key, entries in found.items()]


def is_speed(metric: str) -> bool:
    return metric in SPEED or metric == RELATIVE


def _figures(records: list[Record], reference: str | None) -> list[Row]:
    """The rows of whole sets; speeds are absolute, or relative to the reference's."""
    found = [row for row in rows(records, of_clips=False) if row.value is not None]
    if reference is None:
        return found
    bases = {(row.data, row.metric, device_of(row)): row for row in found if row.method == reference}
    scores = [row for row in found if row.metric not in SPEED]
    timed = [row for row in found if row.metric == SPEED[0] and row.method != reference]
    return scores + [_relative(row, bases.get((row.data, row.metric, device_of(row))), reference) for row in timed]


def _relative(row: Row, base: Row | None, reference: str) -> Row:
    """A speed as the reference's time over the method's: the geometric mean over the clips, with its interval."""
    clips = base.evidence if base else {}
    logs: dict[str, tuple[float, ...]] = {
        c: (math.log(median(clips[c]) / median(own)),) for c, own in row.evidence.items() if c in clips
    }
    if len(logs) < len(row.evidence):
        return replace(row, metric=RELATIVE, value=None)
    interval = intervals.of_mean([each[0] for each in logs.values()]) or (None, None)
    low, high = (None if bound is None else math.exp(bound) for bound in interval)
    value = math.exp(fmean(each[0] for each in logs.values()))
    return replace(row, metric=RELATIVE, value=value, unit=f"× {reference}", low=low, high=high, evidence=logs)


def _line(key: tuple[str, str, str], entries: list[tuple[str, RunResult, Score | None]], judge: Judge) -> Line:
    parts: list[list[RunResult]] = []
    before = None
    for same, result, score in entries:
        if same != before:
            parts.append([])
            before = same
        part = parts[-1]
        if part and not (score and score.better in ("nearer", "none")):
            changes = [_change(each, result, score, judge) for each in (part[-1], part[0])]
            result = replace(result, since_previous=changes[0], since_first=changes[1])
        part.append(result)
    score = entries[-1][2]
    if score is None:
        title = {"fps": "FPS", "fps-files": "FPS (files)"}.get(key[2], key[2])
        return Line(*key, title, entries[-1][1].row.unit if key[2] == RELATIVE else "1/s", "higher", None, parts)
    return Line(*key, score.short, score.unit, score.better, score.digits, parts)


def _change(old: RunResult, new: RunResult, score: Score | None, judge: Judge) -> Change:
    before, after = old.row.evidence, new.row.evidence
    if score is None and not new.row.metric == RELATIVE:
        ratio = intervals.of_ratio(list(before.values()), list(after.values()))
        change = math.log((new.row.value or math.nan) / (old.row.value or math.nan))
        interval = (math.log(ratio[0]), math.log(ratio[1])) if ratio else None
    else:
        sign = -1.0 if score and score.better == "lower" else 1.0
        changes = [sign * _difference(each[0], before[clip][0]) for clip, each in after.items()]
        change = sum(changes) / len(changes)
        interval = intervals.of_mean(changes)
    if score is None and (old.is_busy or new.is_busy):
        return Change(change, interval, BUSY)
    return Change(change, interval, judge(new.row.metric, score, change, interval))


def _difference(now: float, then: float) -> float:
    """The difference of a clip's scores; equal infinities (PSNR of equal frames) are no change."""
    return 0.0 if now == then else now - then


def _frames(runs: Iterable[Run]) -> Frames:
    """The digests of the clips' frames, as the last of these runs that has them says."""
    return {
        (r.data, r.clip, kind): digest
        for run in runs
        for r in run.records
        if r.ok
        for kind, digest in frame_digests(r).items()
    }


def _key(row: Row, records: Sequence[Record], base: Sequence[Record], frames: Frames) -> str:
    """Key of all that must agree for two figures on one line.

    Args:
        base: the reference's records, of a relative speed.
        frames: the digests that records of older versions lack.
    """
    recipe = _machine(row) if is_speed(row.metric) else row.signature
    unit = {json.dumps([r.method_config, r.descriptor and r.descriptor.dtype], sort_keys=True) for r in base}
    clips: list[tuple] = [
        (r.clip, r.frames, r.lr_size, r.lr_origin, r.lr_made_with, _options(r.data_config)) for r in records
    ]
    if not is_speed(row.metric):
        both = [(r, kind) for r in records for kind in ("GT", "LR")]
        clips += [(r.clip, kind, frame_digests(r).get(kind) or frames.get((r.data, r.clip, kind))) for r, kind in both]
    methods = {json.dumps(r.method_config, sort_keys=True) for r in records}
    return json.dumps(
        [recipe, sorted(row.evidence), sorted(clips, key=str), sorted(methods), sorted(unit)], sort_keys=True
    )


def _options(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in _PLACES}


def _machine(row: Row) -> str:
    """Device and precision of a time's recipe, with the clock and the scope; not how often it was repeated."""
    return ", ".join(row.signature.split("|")[1:5])


def machines(found: Sequence[Line]) -> dict[str, str]:
    """A letter for each machine behind the times: A, B, ..., then M27 and so on."""
    names = dict.fromkeys(m.machine for line in found for part in line.parts for m in part if m.machine)
    return {name: chr(65 + index) if index < 26 else f"M{index + 1}" for index, name in enumerate(names)}


def grids(found: Sequence[Line]) -> list[Grid]:
    """A table for each data set, with a block for each line and a row for each run."""
    letters = machines(found)
    titles = ("run", "commit", "date", "value", "95 % interval", "clips", "since the run before", "since the first")
    heads = tuple(Head(title, numeric=title in ("value", "clips")) for title in (*titles, "machine"))
    note = "+: code modified. A line begins anew (–) where recipe, clips, options or, of times, the machine change."
    tables = []
    for data in dict.fromkeys(line.data for line in found):
        own = [line for line in found if line.data == data]
        used = dict.fromkeys(m.machine for line in own for part in line.parts for m in part if m.machine)
        caption = "; ".join(f"machine {letters[name]}: {name}" for name in used) or "no times"
        blocks = [
            Block(tuple(_cells(m, line, letters) for part in line.parts for m in part), f"{line.method}: {line.title}")
            for line in own
        ]
        tables.append(Grid(f"History on {data}", caption, heads, tuple(blocks), (note,), data))
    return tables


def _cells(result: RunResult, line: Line, letters: Mapping[str, str]) -> tuple[Cell, ...]:
    row, run = result.row, result.run
    between = f"[{', '.join(figure(bound, line.digits) for bound in row.interval)}]" if row.interval else "–"
    texts = [run.name, run.label if run.commit else "–", run.date[:10], figure(row.value or 0.0, line.digits), between]
    changes = [_change_text(change, line) for change in (result.since_previous, result.since_first)]
    texts += [f"{row.n}/{row.expected}", *changes]
    return tuple(Cell(text) for text in (*texts, letters.get(result.machine, "")))


def _change_text(change: Change | None, line: Line) -> str:
    """`+0.12 dB, better`; of speed in per cent."""
    if change is None:
        return "–"
    if is_speed(line.metric):
        return f"{100 * math.expm1(change.value):+.1f} %, {change.verdict}"
    sign = 1.0 if line.better == "higher" else -1.0
    return f"{sign * change.value:+.{line.digits or 0}f} {line.unit}".strip() + f", {change.verdict}"


def worse(found: Sequence[Line]) -> Iterator[str]:
    """One line for each figure that became worse since the run before or since its line began."""
    for line in found:
        for result in (m for part in line.parts for m in part):
            for words, change in (("the run before", result.since_previous), ("the first", result.since_first)):
                if change is not None and change.verdict == "worse":
                    yield f"{line.data}, {line.method}, {line.title}: worse at {result.run.label} than in {words}"
                    break
