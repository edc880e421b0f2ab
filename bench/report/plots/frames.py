"""Scores along a clip: a panel for each metric and clip, a curve for each method."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.report.look import order_of
from bench.report.methods import random_methods
from bench.report.plots import style
from bench.store.record import Record

_CLIPS = 6  # more do not fit on a page; give --clips to see others


def per_frame(
    records: list[Record],
    theme: str = "light",
    width: str = "page",
    metrics: list[str] | None = None,
    captioned: bool = True,
    clips: list[str] | None = None,
) -> Figure | None:
    """The figure, or None when no clip of several frames has scores. See `speed_quality` for the arguments.

    Args:
        clips: which, as `clip` or `data/clip`; None: the first six of more than one frame.
    """
    untrained = random_methods(records)
    usable = [r for r in records if r.status == "ok" and r.method not in untrained]
    scored = [(r, name, s) for r in usable for name, s in r.scores.items() if len(s.values or ()) > 1]
    scored = [each for each in scored if not metrics or each[1] in metrics]
    if clips:
        scored = [each for each in scored if each[0].clip in clips or _where(each[0]) in clips]
    if not scored:
        return None
    columns = list(dict.fromkeys(_where(r) for r, _, _ in scored))
    shown = columns if clips else columns[:_CLIPS]
    recipes = list(dict.fromkeys((name, s.signature, s.short) for _, name, s in scored))
    methods = order_of(records)
    with style.styled(theme) as chosen:
        across = min(3, len(shown)) if width == "page" else 1
        cells = [(recipe, clip) for recipe in recipes for clip in shown]
        rows = [
            [(recipe, clip) for clip in shown[i : i + across]]
            for recipe in recipes
            for i in range(0, len(shown), across)
        ]
        figure, panels = style.panels(len(rows), across, width, 1.6, chosen)
        seen = []
        for number, (line, wanted) in enumerate(zip(panels, rows)):
            for axes in line[len(wanted) :]:
                axes.set_visible(False)
            for index, (axes, (recipe, clip)) in enumerate(zip(line, wanted)):
                lower = False
                for record, name, score in scored:
                    if _where(record) != clip or (name, score.signature, score.short) != recipe:
                        continue
                    which = methods.index(record.method)
                    axes.plot(
                        score.indices,
                        score.values,
                        color=style.color(chosen, which),
                        linestyle=style.dashes(which),
                        marker=style.marker(which) if len(score.values) <= 40 else None,
                        markersize=2.6,
                    )
                    seen.append(which)
                    lower = score.better == "lower"
                    unit = f" [{score.unit}]" if score.unit else ""
                if lower:
                    axes.invert_yaxis()  # up is better in every panel
                axes.set_title(clip, loc="left")
                if index == 0:
                    axes.set_ylabel(f"{recipe[2]}{unit}\n{'lower' if lower else 'higher'} is better", fontsize=7)
                if number == len(rows) - 1 or wanted[-1] == cells[-1]:
                    axes.set_xlabel("frame")
                axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)
        _legend(figure, methods, sorted(set(seen)), chosen)
        if captioned:
            left = f"; {len(columns) - len(shown)} further clips not shown" if len(shown) < len(columns) else ""
            recipe_text = "; ".join(signature for _, signature, _ in recipes)
            style.caption(figure, f"Up is better in every panel; {recipe_text}{left}", chosen, style.WIDTHS[width])
    return figure


def _where(record: Record) -> str:
    return f"{record.data}/{record.clip}"


def _legend(figure: Figure, methods: list[str], seen: list[int], theme: style.Theme) -> None:
    handles = [
        Line2D(
            [],
            [],
            color=style.color(theme, index),
            linestyle=style.dashes(index),
            marker=style.marker(index),
            markersize=3.5,
            label=methods[index],
        )
        for index in seen
    ]
    style.legend(figure, handles)
