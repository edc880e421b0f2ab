"""Speed versus quality: one row a data set, one panel a metric, time per frame on a log axis."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend is chosen first)
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: E402

from bench.report.tables import Column, Table, tables  # noqa: E402

# Okabe and Ito's palette: told apart by all common kinds of colour vision; markers tell too.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#7F7F7F")
_MARKERS = "osD^vP*X"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": "#222222",
    "axes.grid": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "svg.hashsalt": "bench",
    "svg.fonttype": "path",
}
# Where a label may stand beside its point: (x, y) in points, alignments; the first free one is taken.
_PLACES = (
    (7, 0, "left", "center"),
    (-7, 0, "right", "center"),
    (0, 8, "center", "bottom"),
    (0, -8, "center", "top"),
    (6, 8, "left", "bottom"),
    (-6, 8, "right", "bottom"),
    (6, -8, "left", "top"),
    (-6, -8, "right", "top"),
)


def speed_quality(records: list[dict]) -> Figure | None:
    """The figure, or None when no method has both a time and a score."""
    rows = [
        (table, time, scores) for table in tables(records) if (found := _plottable(table)) for time, scores in [found]
    ]
    if not rows:
        return None
    methods = list(dict.fromkeys(method for table, _, _ in rows for method in table.methods))
    with plt.rc_context(_STYLE):
        across = max(len(scores) for _, _, scores in rows)
        figure, panels = plt.subplots(
            len(rows),
            across,
            squeeze=False,
            layout="constrained",
            figsize=(max(3.4 * across, 4.6), 3.1 * len(rows) + 0.5),
        )
        for line, (table, time, scores) in zip(panels, rows):
            for axes in line[len(scores) :]:
                axes.set_visible(False)
            for axes, column in zip(line, scores):
                _panel(axes, table, time, column, methods)
            line[0].set_title(table.title, loc="left", fontweight="bold", fontsize=10)
        caption = "\n".join(dict.fromkeys(f"{table.title}: {table.caption}" for table, _, _ in rows))
        figure.supxlabel(caption, fontsize=6.5, color="#666666", wrap=True)
        figure.canvas.draw()  # places the axes; labels are put where they are free afterwards
        for axes in figure.axes:
            _place_labels(axes)
    return figure


def write(figure: Figure, stem: Path) -> list[Path]:
    """Save as PNG and SVG, with nothing in them that changes from one rendering to the next."""
    files = [stem.with_suffix(".png"), stem.with_suffix(".svg")]
    with plt.rc_context(_STYLE):
        figure.savefig(files[0], dpi=160, metadata={"Software": None})
        figure.savefig(files[1], metadata={"Date": None, "Creator": None})
    plt.close(figure)
    return files


def _plottable(table: Table) -> tuple[Column, list[Column]] | None:
    time = next((c for c in table.columns if c.metric == "ms_per_frame"), None)
    scores = [c for c in table.columns if c.signature and any(_point(table, m, time, c) for m in table.methods)]
    return (time, scores) if time and scores else None


def _point(table: Table, method: str, time: Column | None, column: Column) -> tuple[float, float] | None:
    across, up = table.cells.get((method, time)), table.cells.get((method, column))
    if across is None or up is None or across.value is None or up.value is None or up.value == float("inf"):
        return None
    return across.value, up.value


def _panel(axes: Axes, table: Table, time: Column, column: Column, methods: list[str]) -> None:
    points = {m: p for m in table.methods if (p := _point(table, m, time, column))}
    axes.set_xscale("log")
    for method, (x, y) in points.items():
        style = methods.index(method)
        axes.plot(
            [x],
            [y],
            _MARKERS[style % len(_MARKERS)],
            color=_COLORS[style % len(_COLORS)],
            markersize=7,
            markeredgecolor="white",
            markeredgewidth=0.8,
            label=method,
        )
    xs, ys = zip(*points.values())
    axes.set_xlim(min(xs) / 2.2, max(xs) * 2.2)
    margin = (max(ys) - min(ys)) * 0.18 or 0.05 * abs(max(ys)) or 0.1
    axes.set_ylim(min(ys) - margin, max(ys) + margin)
    if column.better == "lower":
        axes.invert_yaxis()  # up is better in every panel
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if max(xs) / min(xs) > 30 else (1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("time per frame [ms], log scale")
    unit = f" [{column.unit}]" if column.unit else ""
    crop = next((part for part in column.signature.split("|") if part.startswith("crop")), "crop0")
    axes.set_ylabel(
        f"{column.title}{unit}, {'lower' if column.better == 'lower' else 'higher'} is better\n"
        f"{'no border crop' if crop == 'crop0' else 'border ' + crop}, mean of clips",
        fontsize=8,
    )
    axes.annotate(
        "better",
        xy=(0.02, 0.985),
        xytext=(0.17, 0.87),
        xycoords="axes fraction",
        fontsize=7.5,
        color="#777777",
        ha="center",
        va="center",
        arrowprops={"arrowstyle": "-|>", "color": "#999999", "lw": 1.0},
    )


def _place_labels(axes: Axes) -> None:
    """Write each point's name where it meets neither another point, nor a label, nor the frame."""
    renderer = axes.figure.canvas.get_renderer()
    taken = [text.get_window_extent(renderer) for text in axes.texts]
    taken += [line.get_window_extent(renderer).padded(5) for line in axes.lines]
    inside = axes.get_window_extent(renderer)
    for line in axes.lines:
        best, least = None, None
        for x, y, across, up in _PLACES:
            text = axes.annotate(
                line.get_label(),
                line.get_xydata()[0],
                xytext=(x, y),
                textcoords="offset points",
                ha=across,
                va=up,
                fontsize=8,
                color=line.get_color(),
            )
            box = text.get_window_extent(renderer)
            outside = box.x0 < inside.x0 or box.x1 > inside.x1 or box.y0 < inside.y0 or box.y1 > inside.y1
            cost = sum(box.overlaps(other) for other in taken) + 2 * outside
            if least is None or cost < least:
                if best:
                    best.remove()
                best, least = text, cost
            else:
                text.remove()
            if least == 0:
                break
        taken.append(best.get_window_extent(renderer))
