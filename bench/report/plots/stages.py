"""Stage times: a bar for each method, its stages as shares of the whole, the whole written beside it."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from bench.report.columns import FACTS, Fact
from bench.report.grid import figure as number
from bench.report.look import PlotOptions, order_of
from bench.report.machines import split_by_canary
from bench.report.plots import style
from bench.store.record import Record


def stage_budget(records: list[Record], options: PlotOptions) -> Figure | None:
    """Draw stage times as shares of the whole; None if nothing was timed.

    A stage's time is the median over repetitions, summed over clips; time outside of all stages is `other`.
    """
    width = options.width or "page"
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in split_by_canary(records):
        for scope in record.timing:
            groups.setdefault((record.data, scope, record.device), []).append(record)
    if not groups:
        return None
    budgets = {key: {m: _budget(found, key[1], m) for m in order_of(found)} for key, found in groups.items()}
    stages = list(dict.fromkeys(s for found in budgets.values() for budget, _ in found.values() for s in budget))
    stages = [stage for stage in stages if stage != "other"] + ["other"] * ("other" in stages)
    with style.styled(options.theme) as chosen:
        tall = sum(len(found) for found in budgets.values())
        figure, axes = plt.subplots(
            len(budgets),
            1,
            squeeze=False,
            layout="constrained",
            figsize=(style.WIDTHS[width], 0.3 * tall + 0.75 * len(budgets) + 0.5),
            height_ratios=[len(found) + 0.6 for found in budgets.values()],
        )
        for panel, ((data, scope, device), found) in zip(axes[:, 0], budgets.items()):
            _bars(panel, found, stages, chosen, wide=width == "page")
            panel.set_title(f"{data}, {scope}, {device}", loc="left", fontweight="bold")
        axes[-1, 0].set_xlabel("share of the time per frame [%], the whole at the right")
        handles = [_patch(stage, stages, chosen, stage) for stage in stages]
        figure.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 7 if width == "page" else 3))
        if options.captioned:
            sizes = Fact("size", FACTS["size"]).text([r for found in groups.values() for r in found])
            text = f"Medians over repetitions, summed over clips; output frames of {sizes}."
            style.caption(figure, text, chosen, style.WIDTHS[width])
    return figure


def _budget(records: list[Record], scope: str, method: str) -> tuple[dict[str, float], float]:
    """({stage: seconds}, milliseconds a frame)."""
    found: dict[str, float] = {}
    seconds, frames = 0.0, 0
    for record in records:
        if record.method == method and scope in record.timing:
            seconds += record.timing[scope].median_s
            frames += record.frames
            for name, each in record.timing[scope].stage_medians_s.items():
                found[name] = found.get(name, 0) + each
    announced = sum(found.values()) > 0  # not where every stage took 0 seconds
    return found if announced else {"other": seconds}, 1e3 * seconds / frames


def _bars(
    axes, found: dict[str, tuple[dict[str, float], float]], stages: list[str], theme: style.Theme, wide: bool
) -> None:
    for line, (budget, milliseconds) in enumerate(found.values()):
        whole, left = sum(budget.values()), 0.0
        for stage in stages:
            share = 100 * budget.get(stage, 0.0) / whole
            if share <= 0:
                continue
            patch = _patch(stage, stages, theme)
            axes.barh(
                [line],
                [share],
                left=[left],
                height=0.68,
                color=patch.get_facecolor(),
                hatch=patch.get_hatch(),
                edgecolor=theme.background,
                linewidth=0.6,
            )
            if share > (9 if wide else 16):
                ink = (
                    "#000000"
                    if sum(w * c for w, c in zip((0.3, 0.59, 0.11), to_rgb(patch.get_facecolor()))) > 0.45
                    else "#FFFFFF"
                )
                axes.text(
                    left + share / 2,
                    line,
                    f"{share:.0f} %",
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color=ink,
                    bbox={"facecolor": patch.get_facecolor(), "edgecolor": "none", "pad": 1.0},
                )
            left += share
        axes.text(101.5, line, f"{number(milliseconds, None)} ms", va="center", fontsize=7)
    axes.set_yticks(range(len(found)), list(found))
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.grid(False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _patch(stage: str, stages: list[str], theme: style.Theme, label: str = "") -> Patch:
    index = stages.index(stage)
    face = theme.faint if stage == "other" else style.color(theme, index)
    hatch = "" if stage == "other" else style.HATCHES[index % len(style.HATCHES)]
    return Patch(facecolor=face, hatch=hatch, edgecolor=theme.background, linewidth=0.6, label=label)
