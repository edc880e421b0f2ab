"""Shared parts of all plots: themes, widths, legends, and saving with the same bytes each time."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import TextWrapper
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend is chosen first)
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: E402

from bench.report.look import MARKERS, THEMES, WIDTHS, Theme, color, direction, marker  # noqa: E402
from frames.atomic import replacing

__all__ = ["MARKERS", "THEMES", "WIDTHS", "Theme", "color", "marker"]

HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "+++", "ooo")
DPI = 220
_AUTOMATIC = re.compile(r"_(nolegend_|(child|container)\d+)?")  # labels of what has none


_DASHES = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (5, 1.4, 1.2, 1.4)), (0, (7, 2, 2, 2)), (0, (3, 1, 1, 1, 1, 1)))


@contextmanager
def styled(theme: str) -> Iterator[Theme]:
    """Set matplotlib's parameters for a theme during the block, in which the plot is drawn."""
    chosen = THEMES[theme]
    with plt.rc_context(
        {
            "font.family": "DejaVu Sans",
            "text.parse_math": False,  # a $ in a name is a $
            "font.size": 8,
            "axes.titlesize": 8.5,
            "axes.labelsize": 8,
            "xtick.labelsize": 7,
            "ytick.labelsize": 7,
            "legend.fontsize": 7,
            "figure.facecolor": chosen.background,
            "axes.facecolor": chosen.background,
            "savefig.facecolor": chosen.background,
            "text.color": chosen.ink,
            "axes.labelcolor": chosen.ink,
            "axes.titlecolor": chosen.ink,
            "xtick.color": chosen.faint,
            "ytick.color": chosen.faint,
            "xtick.labelcolor": chosen.ink,
            "ytick.labelcolor": chosen.ink,
            "axes.edgecolor": chosen.faint,
            "axes.linewidth": 0.7,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": chosen.grid,
            "grid.linewidth": 0.6,
            "axes.axisbelow": True,
            "axes.formatter.useoffset": False,  # 18.294, not 0.004 and +1.829e1 in a corner
            "legend.frameon": False,
            "hatch.linewidth": 0.6,
            "lines.linewidth": 1.2,
        }
    ):
        yield chosen


_METADATA = {  # fields in which matplotlib would write the date and its version
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
}
# PDF streams are not compressed: zlib's output is not the same everywhere.
_BYTES = {"svg.hashsalt": "bench", "svg.fonttype": "path", "pdf.fonttype": 42, "pdf.compression": 0}


def rendered(figure: Figure, formats: tuple[str, ...] = ("png", "svg")) -> dict[str, bytes]:
    """Render a figure to the bytes of a file for each format, always the same; the figure is closed."""
    found = {}
    with plt.rc_context(_BYTES):  # type: ignore[arg-type]
        for kind in formats:
            stream = io.BytesIO()
            colour = figure.get_facecolor()
            figure.savefig(stream, format=kind, dpi=DPI, metadata=_METADATA[kind], facecolor=colour)
            found[kind] = stream.getvalue()
    plt.close(figure)
    return found


def write(figure: Figure, stem: Path, formats: tuple[str, ...] = ("png", "svg")) -> list[Path]:
    """Save the figure as `stem`.png and so on (see `rendered`)."""
    files = []
    for kind, content in rendered(figure, formats).items():
        file = stem.with_name(f"{stem.name}.{kind}")
        with replacing(file) as temporary:
            temporary.write_bytes(content)
        files.append(file)
    return files


def labelled(panels: Iterable[Axes]) -> list[Any]:
    """Lines and containers for a legend, one a label; matplotlib by itself leaves out labels that begin with `_`."""
    found: dict[str, Any] = {}
    for axes in panels:
        artists: list[Any] = [*axes.lines, *axes.containers]
        for each in artists:
            label = str(each.get_label())
            if label and not _AUTOMATIC.fullmatch(label):
                found[label] = each
    return list(found.values())


def legend(figure: Figure, handles: list) -> None:
    """Add a legend above the panels, in as many columns as the names leave room for."""
    letters = max(len(str(handle.get_label())) for handle in handles)
    across = max(1, min(len(handles), int(figure.get_figwidth() / (0.062 * letters + 0.5))))
    rows = -(-len(handles) // across)
    figure.set_figheight(figure.get_figheight() + 0.15 * rows)
    figure.legend(handles=handles, loc="outside upper left", ncols=across, handlelength=2.4, handletextpad=0.5)


def dashes(index: int):
    return _DASHES[index % len(_DASHES)]


def curve(theme: Theme, index: int, label: str, size: float) -> Line2D:
    """A legend's entry for the curve of this index, with markers of this size."""
    look: dict[str, Any] = {"color": color(theme, index), "linestyle": dashes(index), "marker": marker(index)}
    return Line2D([], [], markersize=size, label=label, **look)


def plain_numbers(axis, low: float, high: float) -> None:
    """Label a log axis with plain numbers, neither too many nor too few."""
    wide = high / max(low, 1e-12)
    axis.set_major_locator(LogLocator(subs=(1,) if wide > 60 else (1, 2, 5) if wide > 8 else (1, 1.5, 2, 3, 4, 5, 7)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def axis_title(column) -> str:
    """A column's name, unit and direction, for a value axis."""
    unit = f" [{column.unit}]" if column.unit else ""
    return f"{column.title}{unit}\n{direction(column.better)}"


def crop_note(column) -> str:
    """The border crop of a column's recipe, which its title does not show."""
    crop = next((part for part in (column.signature or "").split("|") if part.startswith("crop")), "crop0")
    return "no border crop" if crop == "crop0" else f"border {crop}"


def caption(figure: Figure, text: str, theme: Theme, width: float) -> None:
    """Write small print under the plot, wrapped to its width in inches; a letter takes about 3.05 points."""
    letters = int(width * 72 / 3.05)
    wrapper = TextWrapper(letters, break_long_words=False, break_on_hyphens=False)
    lines = [line for paragraph in text.split("\n") for line in wrapper.wrap(" ".join(paragraph.split())) or [""]]
    figure.supxlabel("\n".join(lines), fontsize=5.5, color=theme.faint, ha="left", x=0.012)


def panels(rows: int, across: int, width: str, height: float) -> tuple[Figure, list[list[Axes]]]:
    """A figure of `rows` times `across` panels, each `height` inches high."""
    figure, axes = plt.subplots(
        rows, across, squeeze=False, layout="constrained", figsize=(WIDTHS[width], height * rows + 0.2)
    )
    return figure, [list(line) for line in axes]
