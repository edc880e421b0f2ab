"""Bounds of a record's figures, so that no reader divides by 0 or overflows later."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bench.metrics.reserved import names_a_time

if TYPE_CHECKING:
    from bench.store.record import Record, Score, Timing
    from bench.store.store import StoredTimes

_MOST_DIGITS, _MOST_FRAMES, _LONGEST_SIDE = 15, 10**7, 2**20
_LARGEST_SCORE, _LARGEST_COUNT = 1e100, 10**30  # of finite scores; of operations and parameters
_SHORTEST_S, _LONGEST_S = 1e-12, 1e12
_LARGEST_FIGURE = 1e12  # of MiB, joules and counts


def check(record: Record) -> None:
    """Refuse a record with figures that no run can have written.

    Raises:
        ValueError: one line that names the field.
    """
    if not all(map(str.strip, record.cell)):
        raise ValueError("data, clip and method must have names")
    if record.ok and record.descriptor is None:
        raise ValueError("descriptor is missing in a record with status ok")
    sides = [*record.lr_size, *(record.gt_size or ())]
    least = 1 if record.ok else 0  # of a clip that could not be opened, frames and sizes are 0
    if min(record.frames, *sides) < least or record.scale < 1 or record.expected_clips < 0:
        raise ValueError(f"frames and sizes must be at least {least}, scale at least 1, expected_clips at least 0")
    if record.frames > _MOST_FRAMES or max(record.scale, *sides) > _LONGEST_SIDE:
        raise ValueError(f"more than {_MOST_FRAMES} frames, or sides or a scale above {_LONGEST_SIDE}")
    check_measured(record)
    for name, score in record.scores.items():
        _check_score(f"scores.{name}", score, record.frames)


def check_measured(found: Record | StoredTimes) -> None:
    """Refuse times, operations and parameters that nobody can have measured; ValueError as `check`."""
    if found.macs is not None and not 1 <= found.macs < _LARGEST_COUNT:
        raise ValueError("macs must be at least 1 and below 1e30, or null with macs_reason")
    if found.descriptor and not 0 <= found.descriptor.parameters < _LARGEST_COUNT:
        raise ValueError("descriptor.parameters must be at least 0 and below 1e30")
    for scope, times in found.timing.items():
        _check_times(f"timing.{scope}", times)


def is_beyond(value: float) -> bool:
    """Whether a score is larger than any, and not infinite."""
    return math.isfinite(value) and abs(value) > _LARGEST_SCORE


def _check_times(where: str, times: Timing) -> None:
    if not times.repetitions or not all(_SHORTEST_S <= seconds <= _LONGEST_S for seconds in times.seconds):
        raise ValueError(
            f"{where}: there must be repetitions, and each must take more than 0 seconds "
            f"(from {_SHORTEST_S:g} to {_LONGEST_S:g})"
        )
    others = [times.first_call_s, *(part for each in times.repetitions for part in each.stages_s.values())]
    if not all(0 <= seconds <= _LONGEST_S for seconds in others):
        raise ValueError(f"{where}: first_call_s and stages_s must be numbers from 0 to {_LONGEST_S:g} seconds")
    figures = [(name, getattr(times, name)) for name in ("peak_memory_mb", "warmup", "redone")]
    figures += [("energy_j", each.telemetry.energy_j) for each in times.repetitions if each.telemetry]
    for name, value in figures:
        if value is not None and not 0 <= value <= _LARGEST_FIGURE:
            raise ValueError(f"{where}: {name} must be a number from 0 to {_LARGEST_FIGURE:g}, or null if not known")


def _check_score(where: str, score: Score, frames: int) -> None:
    if not 0 <= score.digits <= _MOST_DIGITS:
        raise ValueError(f"{where}.digits is {score.digits}, not between 0 and {_MOST_DIGITS}")
    if names_a_time(where.removeprefix("scores.")):
        raise ValueError(f"{where}: a score with the name of a time, which tables could not tell from it")
    if score.signature.split("|")[0] == "time":
        raise ValueError(f"{where}.signature is that of a time")
    values = score.values or []
    if any(map(is_beyond, (*values, score.best or 0.0))):
        raise ValueError(f"{where}: a value beyond {_LARGEST_SCORE:g} that is not infinite")
    if score.values is not None and score.indices is not None and len(score.indices) != len(values):
        raise ValueError(f"{where}: {len(values)} values, but {len(score.indices)} indices")
    if len(values) > frames or len(set(score.indices or ())) < len(score.indices or ()):
        raise ValueError(f"{where}: more values than frames ({frames}), or an index that comes twice")
    if any(not 0 <= index < frames for index in score.indices or ()):
        raise ValueError(f"{where}: an index that is no frame of {frames}")
