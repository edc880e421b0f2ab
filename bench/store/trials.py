"""The trials behind a method's envelope: one line each in `trials.jsonl`, appended as they end.

Everything here is data, as in `bench.store.record`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal

from bench.store import typed
from frames.appending import append_whole, without_links
from frames.errors import UserError

FILE = "trials.jsonl"
LARGEST = 64 << 20  # bytes; more is no file of trials

FITS: Final = "fits"
MEMORY: Final = "memory"
SLOW: Final = "slow"
FAILED: Final = "failed"
Outcome = Literal["fits", "memory", "slow", "failed"]
"""`memory`: it ran out of it; `slow`: it was stopped by the clock; `failed`: any other error."""
WORDS = {FITS: "fits", MEMORY: "out of memory", SLOW: "stopped by the clock", FAILED: "failed"}
"""The outcomes in words for users."""
AxisName = Literal["frame", "clip"]
"""`frame`: frames grow, their number stays; `clip`: the number of frames grows, their size stays."""


@dataclass(frozen=True, order=True)
class ClipSize:
    """A clip to try: LR frames of width x height pixels."""

    width: int
    height: int
    frames: int

    @property
    def pixels(self) -> int:
        """Pixels of one LR frame."""
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.frames} frame{'s' * (self.frames != 1)} of {self.width}x{self.height}"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The result of one clip with one method, in a process of its own."""

    key: str  # of all that the result depends on beside the clip: method, code, device, limit of memory, timing
    method: str
    point: ClipSize
    outcome: Outcome
    reason: str = ""
    limit_s: float  # after so many seconds it was, or would have been, stopped
    seconds: list[float] = field(default_factory=list)  # of each timed repetition
    loaded_mb: float | None = None  # memory with the method loaded and no frames yet
    peak_mb: float | None = None  # the most during the repetitions; None: not seen
    peak_kind: str = ""
    busy: bool = False  # other processes slowed a repetition down
    date: str

    @property
    def median_s(self) -> float | None:
        return median(self.seconds) if self.seconds else None

    @property
    def growth_mb(self) -> float | None:
        """Peak memory beyond that of the loaded method, in MiB."""
        return None if self.peak_mb is None or self.loaded_mb is None else self.peak_mb - self.loaded_mb


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The result of the search along one axis."""

    name: AxisName
    largest: ClipSize | None  # the largest that fits; None: none does
    beyond: ClipSize | None = None  # the smallest that was tried and does not fit
    outcome: Outcome | None = None  # of `beyond`
    reason: str = ""  # of `beyond`
    is_complete: bool = False  # nothing is left to try: the border lies between `largest` and `beyond`
    points: list[ClipSize] = field(default_factory=list)  # that were tried, in order of size


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """The limits of one method on one device, and the trials behind them."""

    method: str
    device: str
    scale: int
    memory_limit: int | None  # bytes; None: all of the device
    loaded_mb: float
    descriptor: dict[str, Any]
    axes: list[Axis]
    trials: list[Trial]

    def of(self, axis: Axis, outcome: Outcome = FITS) -> list[Trial]:
        """The trials of an axis with this outcome, in order of size."""
        by_point = {trial.point: trial for trial in self.trials}
        return [by_point[p] for p in axis.points if p in by_point and by_point[p].outcome == outcome]


class TrialFile:
    """An append-only file of trials."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / FILE

    def append(self, trial: Trial) -> None:
        """Write one trial through to the disk.

        Raises:
            OSError: it could not be written as a whole; the file is as before.
            UserError: the file is a link.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with open(self.file, "ab", buffering=0, opener=without_links) as stream:
            append_whole(stream, (json.dumps(typed.to_json(trial)) + "\n").encode())
            os.fsync(stream.fileno())

    def read(self) -> list[Trial]:
        """All trials; a last line that a crash tore is left out, so that it is tried again.

        Raises:
            UserError: a line is no trial; file and line are named.
        """
        if not self.file.is_file():
            return []
        if self.file.stat().st_size > LARGEST:
            raise UserError(f"{self.file}: larger than {LARGEST >> 20} MiB: no file of trials; choose another out=DIR")
        found: list[Trial] = []
        lines = self.file.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                found.append(typed.from_json(Trial, json.loads(line)))
            except (ValueError, RecursionError) as error:
                if number == len(lines):
                    break
                raise UserError(
                    f"{self.file}, line {number}: no trial ({error}); delete the line, or choose another out=DIR"
                ) from error
        return found

    def mend(self) -> None:
        """Cut off a last line that a crash tore.

        Raises:
            UserError: the file is a link.
        """
        if self.file.is_file() and (data := self.file.read_bytes()) and not data.endswith(b"\n"):
            with open(self.file, "r+b", opener=without_links) as stream:
                stream.truncate(data.rfind(b"\n") + 1)
