"""One cell on its way from a plan to a record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.datasets.clip import Clip
from bench.run.plan import Column
from bench.store.record import Score
from bench.timing.stats import median


@dataclass
class Outcome:
    """How many cells succeeded and failed, and how much was computed for them."""

    good: int = 0
    failed: int = 0
    upscaled: int = 0
    scored: int = 0  # (clip, method, metric) triples


@dataclass
class Loaded:
    """A method in memory, or the error that building it raised."""

    method: Any = None
    error: Exception | None = None
    held_mb: float = 0.0


@dataclass
class Job:
    """One cell on its way to a record."""

    column: Column
    clip: Clip
    loaded: Loaded
    prediction_key: str = ""
    times_key: str = ""
    frames: Iterable[np.ndarray] | None = None  # SR frames, in memory or in the store
    found: dict | None = None  # descriptor, sr_sha256, timing: what upscaling leaves
    score_keys: dict[str, str] = field(default_factory=dict)
    scores: dict[str, list[float]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)  # metric -> why it has no scores
    unsettled: set[str] = field(default_factory=set)  # metrics that may have scores the next time
    doctor_key: str = ""
    doctor: dict | None = None  # {"findings": [...]}; None: not examined
    error: Exception | None = None

    @property
    def where(self) -> str:
        return f"{self.column.data}/{self.clip.name} {self.column.method}"

    @property
    def scopes(self) -> list[str]:
        """In which scopes it is timed: a program that reads and writes files has that one alone."""
        return ["files"] if hasattr(self.loaded.method, "upscale_files") else list(self.column.config.timing.scopes)

    def line(self, scores: dict[str, Score]) -> str:
        """The finished cell in one line; `scores` as its record keeps them."""
        parts = [f"{self.clip.frames} frame{'s' * (self.clip.frames > 1)}"]
        for scope, times in self.found["timing"].items():
            seconds = median([repetition["total_s"] for repetition in times["repetitions"]])
            parts.append(f"{self.clip.frames / seconds:.3g} fps ({scope}, median of {len(times['repetitions'])})")
        for name, found in scores.items():
            if found.values:
                parts.append(f"{name} {sum(found.values) / len(found.values):.{found.digits}f}")
        return ", ".join(parts)
