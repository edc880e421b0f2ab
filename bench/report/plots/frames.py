"""Scores along a clip: a panel for each metric and clip, a curve for each method."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.report.look import PlotOptions, direction, order_of
from bench.report.methods import random_methods
from bench.report.plots import style
from bench.store.record import Record, Score

_CLIPS = 6  # more do not fit on a page; give --clips to see others


def per_frame(records: list[Record], options: PlotOptions) -> Figure | None:
    """Draw scores along clips; None if no clip of several frames has any."""
    metrics, clips, width = options.metrics, options.clips, options.width or "page"
    untrained = random_methods(records)
    usable = [r for r in records if r.status == "ok" and r.method not in untrained]
    scored = [(r, name, s) for r in usable for name, s in r.scores.items() if s.values]
    scored = [each for each in scored if not metrics or each[1] in metrics]
    if clips:
        scored = [each for each in scored if each[0].clip in clips or _where(each[0]) in clips]
    curves_of = [each for each in scored if len(each[2].values or ()) > 1]  # one value alone is drawn beside others
    if not curves_of:
        return None
    columns = list(dict.fromkeys(_where(r) for r, _, _ in curves_of))
    shown = columns if clips else columns[:_CLIPS]
    recipes = list(dict.fromkeys((name, s.signature, s.short) for _, name, s in curves_of))
    methods = order_of(records)
    by_panel: dict[tuple[str, ...], list[tuple[Record, Score]]] = {}
    for r, name, s in scored:
        by_panel.setdefault((_where(r), name, s.signature, s.short), []).append((r, s))
    with style.styled(options.theme) as chosen:
        across = min(3, len(shown)) if width == "page" else 1
        starts = range(0, len(shown), across)
        rows = [[(recipe, clip) for clip in shown[i : i + across]] for recipe in recipes for i in starts]
        figure, panels = style.panels(len(rows), across, width, 1.6)
        for number, (line, wanted) in enumerate(zip(panels, rows, strict=True)):
            for axes in line[len(wanted) :]:
                axes.set_visible(False)
            for axes, (recipe, clip) in zip(line, wanted, strict=False):
                curves = by_panel.get((clip, *recipe), [])
                _panel(axes, curves, methods, chosen)
                axes.set_title(clip, loc="left")
                if axes is line[0]:
                    axes.set_ylabel(_axis_title(recipe[2], curves), fontsize=7)
                if number == len(rows) - 1 or wanted[-1] == (recipes[-1], shown[-1]):
                    axes.set_xlabel("frame")
        seen = {methods.index(r.method) for r, _, _ in scored if _where(r) in shown}
        style.legend(figure, [style.curve(chosen, index, methods[index], 3.5) for index in sorted(seen)])
        if options.captioned:
            left = f"; {len(columns) - len(shown)} further clips not shown" if len(shown) < len(columns) else ""
            recipe_text = "; ".join(signature for _, signature, _ in recipes)
            up = "Up is better in every panel"
            if any(s.better in ("nearer", "none") for _, _, s in curves_of):
                up = "Up is better unless the axis says otherwise"
            if any(_where(r) in shown and any(map(math.isinf, s.values or ())) for r, _, s in scored):
                up += "; infinite scores (frames equal to GT) are not drawn"
            style.caption(figure, f"{up}; {recipe_text}{left}", chosen, style.WIDTHS[width])
    return figure


def _panel(axes: Axes, curves: list[tuple[Record, Score]], methods: list[str], theme: style.Theme) -> None:
    """Draw one clip and metric, with a curve for each method, or the words "no scores"."""
    if not curves:
        axes.text(0.5, 0.5, "no scores", transform=axes.transAxes, ha="center", va="center", color=theme.faint)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    for record, score in curves:
        which, values = methods.index(record.method), score.values or []
        axes.plot(
            score.indices or range(len(values)),
            values,
            color=style.color(theme, which),
            linestyle=style.dashes(which),
            marker=style.marker(which) if len(values) <= 40 else None,
            markersize=2.6,
        )
    if any(score.better == "lower" for _, score in curves):
        axes.invert_yaxis()  # up is better
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=[1, 2, 2.5, 5, 10]))


def _axis_title(title: str, curves: list[tuple[Record, Score]]) -> str:
    unit = next((f" [{score.unit}]" for _, score in curves if score.unit), "")
    better = next((score.better for _, score in curves), "higher")
    return f"{title}{unit}\n{direction(better)}"


def _where(record: Record) -> str:
    return f"{record.data}/{record.clip}"
