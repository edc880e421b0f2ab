"""Time and memory over the size of the output: a point for each clip, a power law through a method's on one device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.look import PlotOptions, order_of
from bench.report.machines import split_by_canary
from bench.report.plots import style
from bench.report.power_law import exponent_text, power_law
from bench.store.record import Record, Timing

SizeAndCost = tuple[float, float]
"""(size, cost)."""


def cost_size(records: list[Record], options: PlotOptions) -> Figure | None:
    """Draw time per frame over the frame's size, on log axes, with the fitted exponent."""
    titles = "size of an output frame [Mpx]", "time per frame [ms]"
    return _figure(records, options, _frame_size, _milliseconds, titles, fitted=True)


def memory_size(records: list[Record], options: PlotOptions) -> Figure | None:
    """Draw peak memory over the size of a clip's whole output, which one call makes."""
    kinds = dict.fromkeys(t.peak_memory_kind for r in records for t in r.timing.values())
    kind = f"\n{', '.join(filter(None, kinds))}" if any(kinds) else ""
    titles = "size of the output clip, all frames [Mpx]", f"peak memory [MiB]{kind}"
    return _figure(records, options, _clip_size, _memory, titles, fitted=False)


def _figure(
    records: list[Record],
    options: PlotOptions,
    size: Callable,
    cost: Callable,
    titles: tuple[str, str],
    fitted: bool,
) -> Figure | None:
    width = options.width or "column"
    series: dict[tuple[str, str, str], list[SizeAndCost]] = {}
    for record in split_by_canary(records):
        for scope, times in record.timing.items():
            if (found := cost(record, times)) is not None and 0 < found < math.inf:
                series.setdefault((record.method, scope, record.device), []).append((size(record), found))
    if not series:
        return None
    scopes, machines = ({key[part] for key in series} for part in (1, 2))
    methods = order_of(records)
    with style.styled(options.theme) as chosen:
        figure, ((axes,),) = style.panels(1, 1, width, 2.6 if width == "column" else 3.2)
        axes.set_xscale("log")
        for index, ((method, scope, machine), points) in enumerate(series.items()):
            apart = ", ".join([scope] * (len(scopes) > 1) + [machine] * (len(machines) > 1))
            name = f"{method} ({apart})" if apart else method
            _curve(axes, index, name, style.color(chosen, methods.index(method)), points, fitted, chosen)
        xs, ys = zip(*(point for points in series.values() for point in points), strict=True)
        _limits(axes, xs, ys, fitted)
        axes.set_xlabel(titles[0])
        axes.set_ylabel(titles[1])
        style.legend(figure, style.labelled([axes]))
        if options.captioned:
            devices = ", ".join(dict.fromkeys(r.device for r in records))
            data = ", ".join(dict.fromkeys(r.data for r in records))
            how = "Exponent of the power law, with its 95 % interval over clips. " if fitted else ""
            text = f"{data}; {devices}. A point is a clip. {how}Sizes span a factor of {max(xs) / min(xs):.3g}."
            style.caption(figure, text, chosen, style.WIDTHS[width])
    return figure


def _curve(
    axes: Axes, index: int, name: str, tone: str, points: list[SizeAndCost], fitted: bool, theme: style.Theme
) -> None:
    """Draw a method's points, with the power law through them, or else a thin line from each to the next."""
    x, y = map(list, zip(*sorted(points), strict=True))
    law = power_law(x, y) if fitted else None
    axes.plot(
        x,
        y,
        style.marker(index),
        color=tone,
        markersize=max(3.4, 5.6 - 0.5 * index),  # what lies under another marker shows its rim
        markeredgecolor=theme.background,
        markeredgewidth=0.5,
        label=f"{name}: {exponent_text(law)}" if fitted else name,
    )
    if law:
        ends = np.array([min(x), max(x)])
        axes.plot(ends, law[0] * ends ** law[1], color=tone, linestyle=style.dashes(index), zorder=1)
    elif not fitted:
        axes.plot(x, y, color=tone, linewidth=0.6, linestyle=style.dashes(index), zorder=1)


def _limits(axes: Axes, xs: Sequence[float], ys: Sequence[float], fitted: bool) -> None:
    axes.set_xlim(min(xs) / 1.15, max(xs) * 1.15)
    style.plain_numbers(axes.xaxis, min(xs) / 1.15, max(xs) * 1.15)
    if fitted or max(ys) > 4 * min(ys):
        room = max(1.3, (max(ys) / min(ys)) ** 0.06)
        axes.set_yscale("log")
        axes.set_ylim(min(ys) / room, max(ys) * room)
        style.plain_numbers(axes.yaxis, min(ys) / room, max(ys) * room)
    else:  # the process's own size dwarfs the growth: from zero on, so that nothing is blown up
        axes.set_ylim(0, max(ys) * 1.15)


def _frame_size(record: Record) -> float:
    height, width = record.lr_size
    return height * width * record.scale**2 / 1e6


def _clip_size(record: Record) -> float:
    return _frame_size(record) * record.frames


def _milliseconds(record: Record, times: Timing) -> float:
    return 1e3 * times.median_s / record.frames


def _memory(record: Record, times: Timing) -> float | None:
    """Peak memory in MiB; None for a program that ended before its memory was first read."""
    return times.peak_memory_mb
