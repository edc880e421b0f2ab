"""The plots by name, and saving them. Drawing takes a second to import, so it is imported when something is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.report.look import FORMATS, THEMES, WIDTHS
from bench.store.record import Record
from frames.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "KINDS", "THEMES", "WIDTHS", "rendered", "speed_quality", "write"]


def speed_quality(records: list[Record], **options: Any) -> Figure | None:
    """Score over time, with the Pareto front."""
    from bench.report.plots.pareto import speed_quality as draw

    return draw(_with_printable_names(records), **options)


def per_frame(records: list[Record], **options: Any) -> Figure | None:
    """Scores along a clip; also takes `clips`."""
    from bench.report.plots.frames import per_frame as draw

    return draw(_with_printable_names(records), **options)


def stage_budget(records: list[Record], **options: Any) -> Figure | None:
    """Stage times as shares of the whole."""
    from bench.report.plots.stages import stage_budget as draw

    return draw(_with_printable_names(records), **options)


def cost_size(records: list[Record], **options: Any) -> Figure | None:
    """Time over the size of a frame."""
    from bench.report.plots.scaling import cost_size as draw

    return draw(_with_printable_names(records), **options)


def memory_size(records: list[Record], **options: Any) -> Figure | None:
    """Peak memory over the size of a clip."""
    from bench.report.plots.scaling import memory_size as draw

    return draw(_with_printable_names(records), **options)


def steps_quality(records: list[Record], **options: Any) -> Figure | None:
    """Score and time over the number of sampling steps."""
    from bench.report.plots.steps import steps_quality as draw

    return draw(_with_printable_names(records), **options)


KINDS: dict[str, Callable[..., Figure | None]] = {
    "speed-quality": speed_quality,
    "frames": per_frame,
    "stages": stage_budget,
    "cost-size": cost_size,
    "memory-size": memory_size,
    "steps": steps_quality,
}
"""Each takes records, theme, width, metrics (names or None), captioned; it gives None when there is nothing to draw."""


def rendered(figure: Figure, formats: tuple[str, ...] = ("png", "svg")) -> dict[str, bytes]:
    """The figure as files, by format: the same bytes each time. The figure is closed."""
    from bench.report.plots import style

    return style.rendered(figure, formats)


def write(figure: Figure, stem: Path, formats: tuple[str, ...] = ("png", "svg")) -> list[Path]:
    """Save the figure as `stem`.png and so on (see `rendered`)."""
    from bench.report.plots import style

    return style.write(figure, stem, formats)


def _with_printable_names(records: list[Record]) -> list[Record]:
    """The records, with names that have no line breaks or control characters."""
    return [
        replace(
            record,
            data=printable(record.data),
            clip=printable(record.clip),
            method=printable(record.method),
            device=printable(record.device),
            protocol=printable(record.protocol),
            lr_origin=printable(record.lr_origin),
        )
        for record in records
    ]
