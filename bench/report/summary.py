"""Figures of `summary.csv`, computed from records: one row for each (data, clip, method, metric), `*` for the set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.report import intervals, sheet
from bench.report.machines import split_by_canary
from bench.store.record import Record, Timing
from bench.store.unlike_frames import frame_digests, unlike_frames
from bench.timing.stats import mean, median
from frames.atomic import replacing

ALL = "*"
COLUMNS = ("data", "clip", "method", "metric", "value", "unit", "n", "expected", "signature", "low", "high")
UNITS = {
    "fps": "frames/s",
    "ms_per_frame": "ms",
    "mpx_per_s": "Mpx/s",
    "peak_memory_mb": "MiB",
    "first_call_s": "s",
    "energy_j_per_frame": "J",
}
TIMES = ("fps", "ms_per_frame", "mpx_per_s")
"""The figures that are computed from the clips' times alone."""


@dataclass(frozen=True)
class Row:
    """One figure. `n` of `expected`: frames of a clip, clips of a set; value None: nothing was measured.

    `low` and `high` are a 95 % interval: of a set's score over its clips, of a time over its repetitions; None where
    there are too few of them. `evidence` has what the figure was computed from: for each clip its score alone, or the
    seconds of its repetitions. `clips`: the clips of a set's figure, each with the digests of its frames where those of
    other records are unlike.
    """

    data: str
    clip: str
    method: str
    metric: str
    value: float | None
    unit: str
    n: int
    expected: int
    signature: str
    low: float | None = None
    high: float | None = None
    evidence: dict[str, tuple[float, ...]] = field(default_factory=dict, compare=False, repr=False)
    clips: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @property
    def interval(self) -> intervals.Interval | None:
        """(low, high), or None if there is no interval."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def rows(records: list[Record], of_clips: bool = True) -> list[Row]:
    """Rows in the order of the records: every clip, then the set, data set by data set and method by method.

    Args:
        of_clips: False: the sets alone.
    """
    found: list[Row] = []
    groups: dict[tuple[str, str], list[Record]] = {}
    unlike = unlike_frames(records)
    for record in split_by_canary(records):
        groups.setdefault((record.data, record.method), []).append(record)
    for (data, method), members in groups.items():
        good = [record for record in members if record.status == "ok"]
        expected = members[-1].expected_clips
        for record in good if of_clips else ():
            found += _clip_rows(record)
        names = {record.clip: _clip_name(record, unlike) for record in good}
        found += [
            replace(row, clips=frozenset(map(names.__getitem__, row.clips)))
            for row in _set_rows(data, method, good, expected)
        ]
    return found


def write_csv(records: list[Record], file: Path) -> None:
    """Write `summary.csv` with the columns `COLUMNS`, atomically."""
    with replacing(file) as temporary, open(temporary, "w", encoding="utf-8", newline="") as out:
        lines = sheet.Writer(out, floats=".10g")
        lines.row(COLUMNS)
        lines.rows([getattr(row, name) for name in COLUMNS] for row in rows(records))


def mixed(found: Iterable[Row]) -> list[Row]:
    """Rows of whole sets in which a method's scores under unlike recipes are one figure, over all its clips.

    Such a figure has no signature.
    """
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in found:
        key = row.signature if row.signature.startswith("time|") else ""
        groups.setdefault((row.method, row.metric, key), []).append(row)
    return [each[0] if len(each) == 1 else _as_one(each) for each in groups.values()]


def _as_one(found: list[Row]) -> Row:
    evidence = {clip: values for row in found for clip, values in row.evidence.items()}
    means = [value for (value,) in evidence.values()]
    low, high = intervals.of_mean(means) or (None, None)
    value, clips = mean(means) if means else None, frozenset().union(*(row.clips for row in found))
    return replace(
        found[0], value=value, n=len(means), signature="", low=low, high=high, evidence=evidence, clips=clips
    )


def clip_frames(records: Iterable[Record]) -> dict[tuple[str, str], int]:
    """The frames of each (data, clip); 0 for a clip that none of the records could open."""
    found: dict[tuple[str, str], int] = {}
    for record in records:
        place = record.data, record.clip
        found[place] = max(found.get(place, 0), record.frames)
    return found


def most_clips(found: Iterable[Row]) -> frozenset[str]:
    """The largest set of clips of any row; of equally large ones that of the most rows, then the first."""
    counts = Counter(row.clips for row in found)
    return max(counts, key=lambda clips: (len(clips), counts[clips]), default=frozenset())


def _clip_name(record: Record, unlike: Container[tuple[str, str, str]]) -> str:
    """A clip's name, with the digests of its frames that other records have otherwise."""
    digests = frame_digests(record)
    apart = [kind for kind in ("GT", "LR") if (record.data, record.clip, kind) in unlike]
    return " ".join([record.clip, *(f"{kind}:{digests.get(kind, '')}" for kind in apart)])


def _clip_rows(record: Record) -> list[Row]:
    start = (record.data, record.clip, record.method)
    found = []
    for name, scores in record.scores.items():
        frames = scores.values or []
        value = mean(frames) if frames else None
        expected = len(scores.indices or ()) or record.frames  # a protocol may choose among the frames
        found.append(Row(*start, name, value, scores.unit, len(frames), expected, scores.signature))
    for scope, times in record.timing.items():
        counts = (record.frames, record.frames)
        found += _time_rows(start, scope, [(record, times)], counts)
        name, unit = _named("first_call_s", scope), UNITS["first_call_s"]
        found.append(Row(*start, name, times.first_call_s, unit, *counts, time_signature([(record, times)], scope)))
    return found


def _set_rows(data: str, method: str, good: list[Record], expected: int) -> list[Row]:
    start = (data, ALL, method)
    found = []
    for name, signature in _distinct((name, s.signature) for r in good for name, s in r.scores.items()):
        scored = {r.clip: r.scores[name] for r in good if name in r.scores and r.scores[name].signature == signature}
        means = {clip: mean(s.values) for clip, s in scored.items() if s.values}
        value = mean(list(means.values())) if means else None
        low, high = intervals.of_mean(list(means.values())) or (None, None)
        unit = next(iter(scored.values())).unit
        evidence: dict[str, tuple[float, ...]] = {clip: (value,) for clip, value in means.items()}
        clips = frozenset(means)
        found.append(Row(*start, name, value, unit, len(means), expected, signature, low, high, evidence, clips))
    for scope, device in _distinct((scope, record.device) for record in good for scope in record.timing):
        timed = [(r, r.timing[scope]) for r in good if scope in r.timing and r.device == device]
        found += _time_rows(start, scope, timed, (len(timed), expected))
    return found


def _time_rows(
    start: tuple[str, str, str], scope: str, timed: list[tuple[Record, Timing]], counts: tuple[int, int]
) -> list[Row]:
    """The figures of a scope over these clips, each with an interval from that of the total time."""
    signature = time_signature(timed, scope)
    evidence = {record.clip: tuple(times.seconds) for record, times in timed}
    seconds = sum(median(each) for each in evidence.values())
    interval = intervals.of_total(list(evidence.values()))
    found = []
    for metric, value in _speed(timed).items():
        low = high = None
        if interval and metric in TIMES:
            shares = [bound / seconds for bound in interval]
            low, high = sorted(value * share if metric == "ms_per_frame" else value / share for share in shares)
        kept = evidence if metric in TIMES else {}
        name, clips = _named(metric, scope), frozenset(evidence)
        found.append(Row(*start, name, value, UNITS[metric], *counts, signature, low, high, kept, clips))
    return found


def _speed(timed: list[tuple[Record, Timing]]) -> dict[str, float]:
    """Frames and pixels over the sum of the clips' median times; the largest of the clips' memory peaks."""
    seconds = sum(times.median_s for _, times in timed)
    frames = sum(record.frames for record, _ in timed)
    pixels = sum(record.frames * record.lr_size[0] * record.lr_size[1] * record.scale**2 for record, _ in timed)
    found = {
        "fps": frames / seconds,
        "ms_per_frame": 1e3 * seconds / frames,
        "mpx_per_s": pixels / seconds / 1e6,
    }
    peaks = [times.peak_memory_mb for _, times in timed if times.peak_memory_mb is not None]
    if len(peaks) == len(timed):
        found["peak_memory_mb"] = max(peaks)
    energy = [_energy(times) for _, times in timed]
    if all(energy):
        found["energy_j_per_frame"] = sum(median(values) for values in energy) / frames
    return found


def _energy(times: Timing) -> list[float]:
    """Joules of each repetition; empty unless the GPU reported all of them."""
    energies = [each.telemetry.energy_j if each.telemetry else None for each in times.repetitions]
    known = [value for value in energies if value is not None]
    return known if len(known) == len(energies) else []


def time_signature(timed: Sequence[tuple[Record, Timing]], scope: str) -> str:
    """The recipe of a time: scope, clock, device, precision, warm-up, repetitions; all that occur in its clips."""
    records, times = zip(*timed)
    precisions = (record.descriptor.dtype if record.descriptor else "not known" for record in records)
    warmups, repetitions = {each.warmup for each in times}, {len(each.repetitions) for each in times}
    return "|".join(
        [
            "time",
            scope,
            times[0].clock,
            records[0].device,
            ",".join(_distinct(precisions)),
            f"warmup{','.join(map(str, sorted(warmups)))}",
            f"median-of-{','.join(map(str, sorted(repetitions)))}",
            "v1",
        ]
    )


def _named(metric: str, scope: str) -> str:
    """The name of a time: plain for the scope `tensors`, followed by the scope for others."""
    return metric if scope == "tensors" else f"{metric}-{scope}"


def _distinct(values) -> list:
    return list(dict.fromkeys(values))
