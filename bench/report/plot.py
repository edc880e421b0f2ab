"""The plots by name, and saving them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from matplotlib.figure import Figure

from bench.report.plots.frames import per_frame
from bench.report.plots.pareto import speed_quality
from bench.report.plots.scaling import cost_size, memory_size
from bench.report.plots.stages import stage_budget
from bench.report.plots.steps import steps_quality
from bench.report.plots.style import FORMATS, THEMES, WIDTHS, rendered, write
from bench.store.record import Record
from frames.text import printable

Plot = Callable[..., Figure | None]
_TEXTS = ("data", "clip", "method", "device", "protocol", "lr_origin")


def _with_printable_names(draw: Plot) -> Plot:
    """The plot, of records whose names have no line breaks or control characters."""

    @wraps(draw)
    def drawn(records: list[Record], *arguments: Any, **options: Any) -> Figure | None:
        named = [replace(record, **{key: printable(getattr(record, key)) for key in _TEXTS}) for record in records]
        return draw(named, *arguments, **options)

    return drawn


KINDS: dict[str, Plot] = {
    "speed-quality": _with_printable_names(speed_quality),
    "frames": _with_printable_names(per_frame),
    "stages": _with_printable_names(stage_budget),
    "cost-size": _with_printable_names(cost_size),
    "memory-size": _with_printable_names(memory_size),
    "steps": _with_printable_names(steps_quality),
}
"""Each takes records, theme, width, metrics (names or None), captioned; it gives None when there is nothing to draw."""

__all__ = ["FORMATS", "KINDS", "THEMES", "WIDTHS", "rendered", "speed_quality", "write"]
