"""The plots by name. Drawing takes a second to import, so it is imported when something is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.report.look import PlotOptions
from bench.store.record import Record
from frames.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = ("speed-quality", "frames", "stages", "cost-size", "memory-size", "steps")


def draw(kind: str, records: list[Record], **options: Any) -> Figure | None:
    """Draw a plot of records, whose names are made printable; None when there is nothing to draw.

    Args:
        options: those of `bench.report.look.PlotOptions`.
    """
    from bench.report.plots.kinds import DRAWN

    return DRAWN[kind](_with_printable_names(records), PlotOptions(**options))


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
