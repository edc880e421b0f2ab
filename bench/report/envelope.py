"""The envelope of methods as a table: the largest sizes, and power laws of time and memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.report.grid import Block, Cell, Grid, Head, figure
from bench.report.intervals import Interval
from bench.report.power_law import power_law
from bench.store.trials import FAILED, FITS, SLOW, WORDS, Axis, ClipSize, Envelope, Trial

SCHEMA = 1
REACH = 64
"""Laws are fitted to sizes within this factor of the largest that fits, so they hold near that size."""
AXIS_WORDS = {"frame": "frames grow", "clip": "clips grow"}


@dataclass(frozen=True)
class Law:
    """cost = factor * extent ** exponent; extent in LR megapixels of a frame, or in frames."""

    factor: float
    exponent: float
    interval: Interval | None  # 95 %, of the exponent, over the trials
    points: int


def extent(axis: Axis, point: ClipSize) -> float:
    """The size along an axis: megapixels of an LR frame, or frames."""
    return point.pixels / 1e6 if axis.name == "frame" else float(point.frames)


def costs(envelope: Envelope, axis: Axis, what: str) -> list[tuple[float, float]]:
    """(extent, cost) of the trials that fit: seconds of the clip, or MiB beyond the loaded method."""
    found = [(extent(axis, trial.point), _cost(trial, what)) for trial in envelope.of(axis)]
    return [(x, y) for x, y in found if y is not None and y > 0]


def law(envelope: Envelope, axis: Axis, what: str) -> Law | None:
    """The power law of a cost near the largest size that fits; None for fewer than three sizes.

    Args:
        what: "seconds" or "memory".
    """
    points = costs(envelope, axis, what)
    near = [(x, y) for x, y in points if x * REACH >= max(points)[0]]
    fitted = power_law(*zip(*near)) if near else None
    return None if fitted is None else Law(*fitted, points=len(near))


def content(envelopes: Sequence[Envelope], command: str, environment: dict[str, Any]) -> str:
    """`envelope.json`: everything measured, and the laws fitted to it."""
    found = []
    for envelope in envelopes:
        plain = asdict(envelope)
        for axis, entry in zip(envelope.axes, plain["axes"], strict=True):
            fits = {what: law(envelope, axis, what) for what in ("seconds", "memory")}
            entry["laws"] = {what: fitted and asdict(fitted) for what, fitted in fits.items()}
        found.append(plain)
    whole = {"schema": SCHEMA, "command": command, "environment": environment, "envelopes": found}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def grid(envelopes: Sequence[Envelope]) -> Grid:
    """The table: a row for each axis of each method."""
    titles = ("method", "", "largest LR that fits", "SR", "time [s]", "peak memory [MiB]", "does not fit")
    laws = ("time grows as", "memory grows as")
    heads = [Head(title, numeric=title.endswith("]")) for title in (*titles, *laws)]
    rows = [tuple(map(Cell, _row(envelope, axis))) for envelope in envelopes for axis in envelope.axes]
    devices = ", ".join(dict.fromkeys(envelope.device for envelope in envelopes))
    limits = dict.fromkeys(_limit(envelope) for envelope in envelopes)
    caption = f"{devices}; memory: {', '.join(limits)}; each trial in a process of its own, median times"
    notes = [
        "Growth: exponent of the power law over LR pixels of a frame, or over frames, with its 95 % interval; memory "
        f"beyond the loaded method's; fitted to sizes within a factor of {REACH} of the largest."
    ]
    if any(trial.busy for envelope in envelopes for trial in envelope.trials):
        notes.append("Some times were taken on a busy machine.")
    return Grid("Envelope", caption, tuple(heads), (Block(tuple(rows)),), tuple(notes))


def _row(envelope: Envelope, axis: Axis) -> list[str]:
    name = AXIS_WORDS[axis.name]
    if axis.largest is None:
        return [envelope.method, name, "none" if axis.beyond else "not tried", "–", "–", "–", _beyond(axis), "–", "–"]
    best = next(trial for trial in envelope.of(axis, FITS) if trial.point == axis.largest)
    least = "at least " if axis.outcome == SLOW or not axis.is_complete else ""
    scale = envelope.scale
    return [
        envelope.method,
        name,
        least + _size(axis.largest),
        f"{axis.largest.width * scale}×{axis.largest.height * scale}",
        "–" if best.median_s is None else figure(best.median_s, None),
        "–" if best.peak_mb is None else figure(best.peak_mb, 0),
        _beyond(axis),
        _grows(law(envelope, axis, "seconds")),
        _grows(law(envelope, axis, "memory")),
    ]


def _beyond(axis: Axis) -> str:
    """The smallest clip that does not fit, and why."""
    if axis.beyond is None or axis.outcome is None:
        return "not reached"
    why = f": {axis.reason[:60]}" if axis.outcome == FAILED else ""
    return f"{_size(axis.beyond)}: {WORDS[axis.outcome]}{why}"


def _grows(found: Law | None) -> str:
    if found is None:
        return "–"
    between = f" [{found.interval[0]:.2f}, {found.interval[1]:.2f}]" if found.interval else ""
    return f"^{found.exponent:.2f}{between}"


def _size(point: ClipSize) -> str:
    return f"{point.width}×{point.height}, {point.frames} frame{'s' * (point.frames != 1)}"


def _limit(envelope: Envelope) -> str:
    if envelope.memory_limit is None:
        return "all that the device has"
    return f"at most {envelope.memory_limit / 1e9:.3g} GB"


def _cost(trial: Trial, what: str) -> float | None:
    return trial.median_s if what == "seconds" else trial.growth_mb
