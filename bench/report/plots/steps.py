"""Quality and time over the number of steps, for models that were run with several."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from bench.labels import without
from bench.report import intervals
from bench.report.columns import Column
from bench.report.look import PlotOptions
from bench.report.methods import steps
from bench.report.plots import style
from bench.report.points import times_of
from bench.report.tables import Table, tables
from bench.store.record import Record


def steps_quality(records: list[Record], options: PlotOptions) -> Figure | None:
    """Draw scores and time over steps; None if no method was run with several."""
    metrics, width = options.metrics, options.width or "page"
    families: dict[str, dict[str, int]] = {}
    for record in records:
        count = steps(record)
        if count is not None:
            families.setdefault(without(record.method, "steps"), {})[record.method] = count
    families = {name: found for name, found in families.items() if len(set(found.values())) > 1}
    if not families:
        return None
    chosen_methods = {method for found in families.values() for method in found}
    panels_wanted = [
        (table, column)
        for table in tables([r for r in records if r.method in chosen_methods])
        for column in table.columns
        if (column.ranks and (not metrics or column.metric in metrics)) or column in times_of(table)
        if any(_value(table, m, column) is not None for m in table.methods)
    ]
    with style.styled(options.theme) as chosen:
        across = (2 if len(panels_wanted) == 4 else min(3, len(panels_wanted))) if width == "page" else 1
        rows = math.ceil(len(panels_wanted) / across)
        figure, grid = style.panels(rows, across, width, 1.9)
        flat = [axes for line in grid for axes in line]
        for axes in flat[len(panels_wanted) :]:
            axes.set_visible(False)
        for axes, (table, column) in zip(flat, panels_wanted):
            _panel(axes, table, column, families, chosen)
        style.legend(figure, [style.curve(chosen, index, name, 4) for index, name in enumerate(families)])
        if options.captioned:
            texts = dict.fromkeys(f"{table.title}: {table.caption}" for table, _ in panels_wanted)
            how = "Bars, 95 %: of scores over clips, each clip's own difficulty taken off; of times over repetitions."
            style.caption(figure, "\n".join([*texts, how]), chosen, style.WIDTHS[width])
    return figure


def _panel(axes, table: Table, column: Column, families: dict[str, dict[str, int]], theme: style.Theme) -> None:
    ticks = set()
    for index, members in enumerate(families.values()):
        found = sorted((count, m) for m, count in members.items() if _value(table, m, column) is not None)
        if not found:
            continue
        rows = {method: table.cells[method, column] for _, method in found}
        if column.is_quality:
            bars = intervals.within_clips({m: {c: e[0] for c, e in row.evidence.items()} for m, row in rows.items()})
        else:
            bars = {m: row.interval for m, row in rows.items()}
        tone = style.color(theme, index)
        axes.plot(
            [count for count, _ in found],
            [rows[method].value for _, method in found],
            color=tone,
            linestyle=style.dashes(index),
            marker=style.marker(index),
            markersize=4.5,
            markeredgecolor=theme.background,
            markeredgewidth=0.5,
        )
        for count, method in found:
            if bars[method]:
                axes.plot((count, count), bars[method], color=tone, linewidth=1.0, zorder=1)
            ticks.add(count)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted(ticks), [str(count) for count in sorted(ticks)])
    axes.minorticks_off()
    axes.margins(x=0.12, y=0.15)
    axes.set_xlabel("steps")
    axes.set_ylabel(style.axis_title(column), fontsize=7)
    axes.set_title(table.title, loc="left")
    if not column.is_quality:
        axes.set_yscale("log")
        style.plain_numbers(axes.yaxis, *axes.get_ylim())
    elif column.better == "lower":
        axes.invert_yaxis()  # up is better in every panel of a score


def _value(table: Table, method: str, column: Column) -> float | None:
    row = table.cells.get((method, column))
    return None if row is None or row.value is None or not math.isfinite(row.value) else row.value
