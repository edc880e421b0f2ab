"""The points of speed versus quality, the same in plots and on the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.report.columns import Column
from bench.report.look import front_of
from bench.report.summary import most_clips
from bench.report.tables import Table

TIME = "ms_per_frame"
LACKING = " n/expected: a method without all clips of the others, on no front."


@dataclass(frozen=True)
class Points:
    """The methods that have both a time and a score; `counted` has n/expected of those that lack clips of the others.

    Means over unlike clips are not compared: what lacks a clip that others have, perhaps the hardest, is on no front.
    """

    of: dict[str, tuple[float, float]]  # method -> (time, score)
    counted: dict[str, str]

    def name(self, method: str) -> str:
        """The method as it is written beside its point."""
        return f"{method} ({self.counted[method]})" if method in self.counted else method

    def front(self, better: str) -> list[tuple[float, float]]:
        """The Pareto front of the methods with the most clips (see `look.front_of`)."""
        return front_of([point for method, point in self.of.items() if method not in self.counted], better)


def times_of(table: Table) -> list[Column]:
    """The times to draw: those of tensors, and those of files if a method has no others."""
    times = [column for column in table.columns if column.metric.split("-")[0] == TIME]
    timed = {method for method, column in table.cells if column.metric == TIME}
    return [
        column
        for column in times
        if column.metric == TIME or any((m, column) in table.cells for m in table.methods if m not in timed)
    ]


def points_of(table: Table, time: Column, column: Column) -> Points:
    """The points of one time and one score; methods without a finite figure of both have none."""
    rows = {
        method: (across, up)
        for method in table.methods
        if (across := table.cells.get((method, time))) and (up := table.cells.get((method, column)))
        if across.value is not None and up.value is not None
        if math.isfinite(across.value) and math.isfinite(up.value)
    }
    most = tuple(most_clips(each) for each in zip(*rows.values()))
    return Points(
        {method: (across.value or 0.0, up.value or 0.0) for method, (across, up) in rows.items()},
        {
            method: f"{min(across.n, up.n)}/{up.expected}"
            for method, (across, up) in rows.items()
            if (across.clips, up.clips) != most
        },
    )
