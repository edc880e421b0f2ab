"""The plots by name; importing this imports matplotlib."""

from __future__ import annotations

from collections.abc import Callable

from matplotlib.figure import Figure

from bench.report.look import PlotOptions
from bench.report.plots.frames import per_frame
from bench.report.plots.pareto import speed_quality
from bench.report.plots.scaling import cost_size, memory_size
from bench.report.plots.stages import stage_budget
from bench.report.plots.steps import steps_quality
from bench.store.record import Record

DRAWN: dict[str, Callable[[list[Record], PlotOptions], Figure | None]] = {
    "speed-quality": speed_quality,
    "frames": per_frame,
    "stages": stage_budget,
    "cost-size": cost_size,
    "memory-size": memory_size,
    "steps": steps_quality,
}
