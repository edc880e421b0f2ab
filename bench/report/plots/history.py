"""Scores and speed over commits: lines with intervals, broken where figures may not be compared."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.history import Line, Run, RunResult, is_speed, machines
from bench.report.look import direction
from bench.report.plots import style

_WORSE = "#C1121F"
_MOST_LABELS = 24  # commits named under the axis


def history_plot(lines: Sequence[Line], runs: Sequence[Run]) -> Figure:
    """Draw a panel for each metric of one data set, over the runs by date.

    Args:
        lines: of one data set.
        runs: all of them, by date.
    """
    metrics = list(dict.fromkeys((line.metric, line.title) for line in lines))
    methods = list(dict.fromkeys(line.method for line in lines))
    letters = machines(lines)
    with style.styled("light") as theme:
        figure, panels = style.panels(len(metrics), 1, "page", 1.6)
        for (axes,), (metric, title) in zip(panels, metrics):
            own = [line for line in lines if (line.metric, line.title) == (metric, title)]
            for line in own:
                _draw(axes, line, methods.index(line.method), runs, letters, theme)
            unit = f" [{own[0].unit}]" if own[0].unit else ""
            axes.set_ylabel(f"{title}{unit}\n{direction(own[0].better)}")
            if is_speed(metric):
                axes.set_yscale("log")  # methods are orders of magnitude apart
            axes.set_xlim(-0.5, len(runs) - 0.5)
            _ticks(axes, runs, axes is panels[-1][0])
        style.legend(figure, style.labelled(axes for (axes,) in panels))
        legend = "; ".join(f"{letter}: {name}" for name, letter in letters.items())
        text = (
            f"{lines[0].data}. Bars: 95 % intervals. A ring: worse by the interval and the margin than the run before."
        )
        text += f" Lines break where figures may not be compared. {legend}"
        style.caption(figure, text, theme, style.WIDTHS["page"])
    return figure


def _draw(axes: Axes, line: Line, index: int, runs: Sequence[Run], letters: dict[str, str], theme: style.Theme) -> None:
    tone = style.color(theme, index)
    for number, part in enumerate(line.parts):
        x = [runs.index(result.run) for result in part]
        y = [result.row.value or 0.0 for result in part]
        axes.errorbar(
            x,
            y,
            yerr=[[_reach(m, 0) for m in part], [_reach(m, 1) for m in part]],
            color=tone,
            marker=style.marker(index),
            linestyle=style.dashes(index),
            markersize=3.6,
            elinewidth=0.8,
            capsize=1.5,
            label=line.method if not number else "_",
        )
        if part[0].machine:
            axes.annotate(letters[part[0].machine], (x[0], y[0]), xytext=(4, 4), textcoords="offset points", fontsize=6)
        bad = [(a, b) for a, b, m in zip(x, y, part) if m.since_previous and m.since_previous.verdict == "worse"]
        if bad:
            axes.plot(*zip(*bad), "o", markersize=9, markerfacecolor="none", markeredgecolor=_WORSE, label="worse")


def _reach(result: RunResult, side: int) -> float:
    """The length of the interval below (0) or above (1) the value; 0 without an interval."""
    interval = result.row.interval
    return 0.0 if interval is None else max(0.0, (1, -1)[side] * ((result.row.value or 0.0) - interval[side]))


def _ticks(axes: Axes, runs: Sequence[Run], is_last: bool) -> None:
    step = -(-len(runs) // _MOST_LABELS)
    axes.set_xticks(range(0, len(runs), step))
    labels = [f"{run.label}\n{run.date[:10]}" for run in runs[::step]]
    axes.set_xticklabels(labels if is_last else [""] * len(labels), rotation=0 if len(labels) < 9 else 60)
