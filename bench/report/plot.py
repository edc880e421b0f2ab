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


Plot = Callable[..., "Figure | None"]
NAMES = ("speed-quality", "frames", "stages", "cost-size", "memory-size", "steps")


def _plot(name: str) -> Plot:
    """The plot of this name (see `bench.report.plots.kinds`), of records whose names can be printed."""

    def draw(records: list[Record], **options: Any) -> Figure | None:
        from bench.report.plots.kinds import DRAWN

        return DRAWN[name](_with_printable_names(records), **options)

    return draw


KINDS: dict[str, Plot] = {name: _plot(name) for name in NAMES}
"""Each takes records, theme, width, metrics (names or None), captioned; it gives None when there is nothing to draw."""
speed_quality = KINDS["speed-quality"]


def rendered(figure: Figure, formats: tuple[str, ...] = ("png", "svg")) -> dict[str, bytes]:
    """Render a figure to the bytes of a file for each format, always the same; the figure is closed."""
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
