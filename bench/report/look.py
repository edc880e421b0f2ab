"""Colours and markers of methods, and the Pareto front: the same in plots and on the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.store.record import Record

WIDTHS = {"column": 3.4, "page": 7.0}  # inches: of a two-column page
FORMATS = ("png", "svg", "pdf")
MARKERS = "osD^vP*X"  # as matplotlib names them; the page draws the same shapes


@dataclass(frozen=True)
class Theme:
    """The colours of plots on one background.

    The series are Okabe and Ito's, which all common kinds of colour vision can tell apart, with lighter ones in place
    of black and dark blue on a dark ground. Markers, dashes or hatches distinguish the series, too.
    """

    name: str
    background: str
    ink: str
    faint: str
    grid: str
    series: tuple[str, ...]


THEMES = {
    "light": Theme(
        "light",
        "#FFFFFF",
        "#222222",
        "#6A6A6A",
        "#E4E4E4",
        ("#0072B2", "#D55E00", "#009E73", "#B0528C", "#3A93C9", "#B97F00", "#000000", "#7F7F7F"),
    ),
    "dark": Theme(
        "dark",
        "#14171C",
        "#E6E6E6",
        "#A0A6AE",
        "#2C323A",
        ("#56B4E9", "#F0843C", "#2CC89B", "#E08FC0", "#9AD0F5", "#F0C24A", "#FFFFFF", "#A8A8A8"),
    ),
}


@dataclass(frozen=True)
class PlotOptions:
    """Options of a plot; each kind uses those that concern it.

    Attributes:
        theme: "light" or "dark".
        width: "column" (panels one below the other) or "page"; None: as suits the kind.
        metrics: names of scores; None: all.
        captioned: print the protocol and the meaning of the marks under the plot.
        clips: names of clips, as `clip` or `data/clip`; None: the first six of more than one frame.
    """

    theme: str = "light"
    width: str | None = None
    metrics: Sequence[str] | None = None
    captioned: bool = True
    clips: Sequence[str] | None = None


def order_of(records: Iterable[Record]) -> list[str]:
    """The methods in the order in which they get their colours and markers."""
    return list(dict.fromkeys(record.method for record in records))


def color(theme: Theme, index: int) -> str:
    """The colour of the method with this index."""
    return theme.series[index % len(theme.series)]


def marker(index: int) -> str:
    """The marker of the method with this index; the shift by one in each round keeps colour and marker unique."""
    return MARKERS[(index + index // len(MARKERS)) % len(MARKERS)]


def direction(better: str) -> str:
    """The direction of a score in words, for an axis."""
    words = {"nearer": "nearer to GT is better", "none": "no direction"}
    return words.get(better, f"{better} is better")


def front_of(points: Iterable[tuple[float, float]], better: str) -> list[tuple[float, float]]:
    """The Pareto front: the points that no other beats in both time and score, fastest first.

    Args:
        points: (time, score).
        better: the better direction of the score; unless it is "higher" or "lower", the front is empty.
    """
    if better not in ("higher", "lower"):
        return []
    sign = 1 if better == "higher" else -1
    kept: list[tuple[float, float]] = []
    for x, y in sorted(set(points), key=lambda p: (p[0], -sign * p[1])):
        if not kept or sign * y > sign * kept[-1][1]:
            kept.append((x, y))
    return kept
