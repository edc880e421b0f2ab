"""Time and memory over the size of a frame and the length of a clip, up to what fits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.envelope import Law, costs, extent, law
from bench.report.plots import style
from bench.report.power_law import exponent_text
from bench.store.trials import MEMORY, AxisName, Envelope

_X = {"frame": "size of an LR frame [Mpx]", "clip": "frames of a clip"}
_Y = {"seconds": "time of the clip [s]", "memory": "memory beyond\nthe loaded method's [MiB]"}
_MB = 2**20


def envelope_plot(envelopes: Sequence[Envelope]) -> Figure | None:
    """Draw time above and memory below, in a column for each axis; None if nothing fits.

    A cross marks a size that ran out of memory, at the limit that it met.
    """
    names = list(dict.fromkeys(axis.name for each in envelopes for axis in each.axes if axis.largest))
    if not names:
        return None
    with style.styled("light") as theme:
        figure, panels = style.panels(len(_Y), len(names), "page", 2.2)
        for row, what in zip(panels, _Y):
            for axes, name in zip(row, names):
                _panel(axes, envelopes, name, what, theme)
        style.legend(figure, style.labelled(panels[0]))
        devices = ", ".join(dict.fromkeys(each.device for each in envelopes))
        text = f"{devices}. A point is a trial in a process of its own. Lines: power laws through the largest sizes."
        style.caption(figure, f"{text} ×: ran out of memory.", theme, style.WIDTHS["page"])
    return figure


def _panel(axes: Axes, envelopes: Sequence[Envelope], name: AxisName, what: str, theme: style.Theme) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    xs: list[float] = []
    ys: list[float] = []
    for index, envelope in enumerate(envelopes):
        axis = next((axis for axis in envelope.axes if axis.name == name), None)
        if axis is None:
            continue
        points, tone = costs(envelope, axis, what), style.color(theme, index)
        if points:
            x, y = map(list, zip(*points))
            fitted = law(envelope, axis, what)
            _curve(axes, index, envelope.method, tone, (x, y), fitted, theme)
            xs, ys = xs + x, ys + y
        crosses = [extent(axis, trial.point) for trial in envelope.of(axis, MEMORY)]
        xs += crosses
        if what == "memory" and envelope.memory_limit is not None and crosses:
            room = envelope.memory_limit / _MB - envelope.loaded_mb
            axes.plot(crosses, [room] * len(crosses), "x", color=tone, markersize=4.5)
            ys.append(room)
    axes.set_xlabel(_X[name])
    axes.set_ylabel(_Y[what])
    if xs and ys:
        axes.set_xlim(min(xs) / 1.3, max(xs) * 1.3)
        axes.set_ylim(min(ys) / 1.6, max(ys) * 1.6)
        style.plain_numbers(axes.xaxis, min(xs) / 1.3, max(xs) * 1.3)
        style.plain_numbers(axes.yaxis, min(ys) / 1.6, max(ys) * 1.6)


def _curve(
    axes: Axes, index: int, name: str, tone: str, points: tuple[list, list], fitted: Law | None, theme: style.Theme
) -> None:
    """Draw the trials of a method, and the law through the largest of them with its exponent."""
    x, y = points
    rim = {"markeredgecolor": theme.background, "markeredgewidth": 0.4}
    axes.plot(x, y, style.marker(index), label=name, color=tone, markersize=3.6, **rim)  # type: ignore[arg-type]
    if fitted is not None:
        ends = np.array([x[-fitted.points], x[-1]])
        line = fitted.factor * ends**fitted.exponent
        axes.plot(ends, line, color=tone, linestyle=style.dashes(index), zorder=1)
        text = exponent_text((fitted.factor, fitted.exponent, fitted.interval)).removeprefix("exponent ")
        axes.annotate(text, (0.03, 0.97 - 0.09 * index), xycoords="axes fraction", color=tone, fontsize=6, va="top")
