"""Comparison of two runs: what changed, with what certainty, and what the data could not show.

Quality is compared frame by frame on equal recipes; speed as the ratio to a reference method of the same run, never as
an absolute time across machines. The sampling unit is the clip, because frames of a clip are not independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from bench.gate.comparable import Cells, refuse_failed, refuse_unknown, refuse_unlike, successful_cells
from bench.gate.margins import MARGINS, margin_of
from bench.gate.verdict import Interval, change_of, interval_of_mean, verdict_of
from bench.store.record import GIVEN, Record, Score, Timing
from bench.timing.stats import mean

_SCOPES = ("tensors", "files")
NO_GT = "nearer to GT's own value is better, which was not measured: add {metric}-gt to metrics of both runs"
Pair = tuple[Record, Record | None]
"""One clip in the first run and, where it is there, in the second."""
Quartet = tuple[Record | None, Record | None, Record | None, Record | None]
"""One clip of a method and of the reference in the first run, then of both in the second."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One metric of one method on one data set; `change` is positive where the second run is better."""

    data: str
    method: str
    metric: str
    margin: float
    verdict: str
    expected: int  # clips that the first run has
    clips: int = 0  # clips that both have
    before: float | None = None
    after: float | None = None
    change: float | None = None
    interval: Interval | None = None  # 95 %, Student's over clips
    note: str = ""

    @property
    def smallest_effect(self) -> float | None:
        """The smallest worsening that these data could have told from one within the margin."""
        if self.interval is None:
            return None
        return self.margin + (self.interval[1] - self.interval[0]) / 2


def compare(
    before: Sequence[Record],
    after: Sequence[Record],
    reference: str | None = None,
    margins: dict[str, float] = MARGINS,
    names: tuple[str, str] = ("the first run", "the second"),
) -> list[Comparison]:
    """Compare everything that the first run has with the second run, in the order of the first run's records.

    Args:
        reference: the method whose time is the unit of speed; None: speed is not compared.
        margins: by metric or family (see `bench.gate.margins`).
        names: of the two runs, for messages.
    Raises:
        UserError: a cell of both was not measured in the same way, or the first run lacks the reference or every
            result of one of its methods.
    """
    if reference is not None:
        refuse_unknown(reference, before, names[0])
    refuse_failed(before, names[0])
    then, now = successful_cells(before), successful_cells(after)
    refuse_unlike(then, now, names)
    found: list[Comparison] = []
    for data, method in dict.fromkeys((d, m) for d, _, m in then):
        pairs = [(record, now.get(cell)) for cell, record in then.items() if (cell[0], cell[2]) == (data, method)]
        for metric in dict.fromkeys(
            name for old, _ in pairs for name, score in old.scores.items() if score.better != "none"
        ):
            found.append(_quality(metric, pairs, margins))
        if reference not in (None, method) and any(old.timing_reason != GIVEN for old, _ in pairs):
            found += _speeds(str(reference), pairs, then, now, margins["speed"])
    return found


def _quality(metric: str, pairs: list[Pair], margins: dict[str, float]) -> Comparison:
    wanted = [
        (old.scores[metric], new.scores.get(metric) if new else None) for old, new in pairs if metric in old.scores
    ]
    gated = [(old, new) for old, new in wanted if old.values]
    blank = _blank(pairs, metric, margin_of(metric, wanted[0][0], margins), len(gated or wanted))
    if not gated:
        reason = next((old.reason for old, _ in wanted if old.reason), "no values")
        return replace(blank, note=f"the first run has no value: {reason}")
    both = [(old, new) for old, new in gated if new and new.values]
    if len(both) < len(gated):
        return replace(blank, clips=len(both), note=_lacking(metric, gated, pairs))
    values = [(old.values or [], new.values or []) for old, new in both]
    direction = both[0][0].better
    ranked = [
        _ranked(metric, old, new) for old, new in pairs if new and metric in old.scores and old.scores[metric].values
    ]
    if not all(old and new for old, new in ranked):
        return replace(blank, note=NO_GT.format(metric=metric))
    changes = [fmean(change_of(a, b, direction == "higher") for a, b in zip(*each, strict=True)) for each in ranked]
    before, after = (mean([mean(each) for each in side]) for side in zip(*values))
    equal = sum(math.isinf(value) for each, _ in values for value in each)
    note = f"frames that are infinite in both, counted as unchanged: {equal}" if equal else ""
    return _judged(blank, changes, before, after, note)


def _ranked(metric: str, old: Record, new: Record) -> tuple[list[float], list[float]]:
    """The values of both runs that are compared: the scores, or their distances to GT's own."""
    before, after = (list(record.rank_values(metric).values()) for record in (old, new))
    return before, after


def _lacking(metric: str, gated: list[tuple[Score, Score | None]], pairs: list[Pair]) -> str:
    """The reason why the second run has no value where the first has one."""
    lacking = [new for _, new in gated if not (new and new.values)]
    reason = next((new.reason for new in lacking if new and new.reason), None)
    gone = sum(new is None for _, new in pairs)
    text = f"{len(lacking)} of {len(gated)} clips have no {metric} in the second run"
    return f"{text}: {reason}" if reason else f"{text}; {gone} of them are not there or failed" if gone else text


def _speeds(reference: str, pairs: list[Pair], then: Cells, now: Cells, margin: float) -> Iterator[Comparison]:
    """The speed in each scope in which the first run timed method and reference on any clip; a missing one if none."""
    cells_of = [(old, new, (old.data, old.clip, reference)) for old, new in pairs]
    quartets: list[Quartet] = [(old, then.get(base), new, now.get(base)) for old, new, base in cells_of]
    scopes = [scope for scope in _SCOPES if any(_timed([four[:2] for four in quartets], scope))] or _SCOPES[:1]
    for scope in scopes:
        name = f"speed / {reference}" if scope == scopes[0] else f"speed ({scope}) / {reference}"
        blank = _blank(pairs, name, math.log1p(margin), len(pairs))
        yield _speed(blank, reference, list(_timed(quartets, scope)))


def _speed(blank: Comparison, reference: str, timed: list[list[Timing]]) -> Comparison:
    """Times of the reference over times of the method, on clips timed in both runs: higher is faster."""
    expected = blank.expected
    faults = [each.faults[0] for four in timed for each in four if each.faults]
    sound = [[each.median_s for each in four] for four in timed if not any(each.faults for each in four)]
    cached = sum(map(_only_look_cached, timed))
    if not sound or len(sound) + cached < expected or 2 * cached > expected:
        lacking = f"{expected - len(sound)} of {expected} clips lack a time of {blank.method} or {reference}"
        why = f" that counts: {faults[0]}" if faults else ""
        return replace(blank, clips=len(sound), note=f"{lacking} in one of the runs{why}")
    ratios = [(base / mine, base_now / mine_now) for mine, base, mine_now, base_now in sound]
    changes = [change_of(_log(old), _log(new), higher_is_better=True) for old, new in ratios]
    before, after = (math.exp(fmean(map(_log, side))) for side in zip(*ratios))
    note = f"left out: {cached} of {expected} clips, whose times look like a cache's" if cached else ""
    return _judged(replace(blank, clips=len(sound)), changes, before, after, note)


def _only_look_cached(four: list[Timing]) -> bool:
    """Whether looking cached is the only fault of a clip's times; a first call that was slowed down looks so, too."""
    return any(each.cached for each in four) and all(each.same_output is not False for each in four)


def _timed(clips: Sequence[Sequence[Record | None]], scope: str) -> Iterator[list[Timing]]:
    """The times of the records of each clip, if all of them have one."""
    for records in clips:
        times = [record.timing[scope] for record in records if record and scope in record.timing]
        if len(times) == len(records):
            yield times


def _log(ratio: float) -> float:
    return math.log(ratio) if ratio > 0 and math.isfinite(ratio) else math.nan


def _blank(pairs: list[Pair], metric: str, margin: float, expected: int) -> Comparison:
    """A comparison without values, whose verdict is `missing`."""
    record = pairs[0][0]
    return Comparison(
        data=record.data, method=record.method, metric=metric, margin=margin, verdict="missing", expected=expected
    )


def _judged(blank: Comparison, changes: list[float], before: float, after: float, note: str) -> Comparison:
    """Complete a comparison with its interval and verdict.

    Args:
        changes: of each clip, positive where the second run is better.
    """
    change = fmean(changes)
    interval = interval_of_mean(changes) if math.isfinite(change) else None
    if not math.isfinite(change):
        note = f"clips with values that are not finite: {sum(not math.isfinite(each) for each in changes)}"
    elif interval is None:
        note = "one clip cannot carry an interval" + (f"; {note}" if note else "")
    verdict = verdict_of(change, interval, blank.margin)
    return replace(
        blank,
        clips=len(changes),
        before=before,
        after=after,
        change=change,
        interval=interval,
        verdict=verdict,
        note=note,
    )
