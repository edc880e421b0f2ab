"""A table before rendering: heads, blocks of rows, marks. It is the only input of every renderer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

BEST, SECOND = "best", "second"
FEWEST_TIED = 3  # clips
MARKS = (
    "bold: best, underlined: second, ties within the 95 % interval of the difference share the mark "
    f"(scores from {FEWEST_TIED} clips on)"
)


@dataclass(frozen=True)
class Provenance:
    """The origin of a part of a cell: one clip of a run, or a publication."""

    run: str
    clip: str
    value: str
    record: str  # names the record, or the group of the publication
    date: str
    signature: str


@dataclass(frozen=True)
class Cell:
    """A cell of a table. `sup` holds marks that the notes explain, set as a superscript or behind the text."""

    text: str
    mark: str = ""  # BEST, SECOND or none
    sup: str = ""
    sources: tuple[Provenance, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class Head:
    """A column's head; neighbours with one `group` stand under a common head."""

    text: str
    group: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Block:
    """Rows that belong together, under a line and, where there is one, a heading."""

    rows: tuple[tuple[Cell, ...], ...]
    heading: str = ""
    source: str = "measured"  # for CSV, where there are no lines between blocks


@dataclass(frozen=True)
class Grid:
    """A whole table. Every row has as many cells as there are heads."""

    title: str
    caption: str
    heads: tuple[Head, ...]
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()
    data: str = ""  # a column of its own in CSV, where several tables may be joined

    @property
    def grouped(self) -> bool:
        return any(head.group for head in self.heads)

    def spans(self) -> list[tuple[str, int]]:
        """The common heads with their widths, in order; "" over columns that have none."""
        found: list[tuple[str, int]] = []
        for head in self.heads:
            if found and head.group and found[-1][0] == head.group:
                found[-1] = (head.group, found[-1][1] + 1)
            else:
                found.append((head.group, 1))
        return found


def rank(values: dict[str, float], better: str, text: Callable[[str], str], tied: Callable[[str, str], bool]):
    """Mark the best row and those that the data cannot tell from it as BEST, then the same among the rest as SECOND.

    Args:
        values: figure by row name; with fewer than two, none is marked.
        text: a row's figure as printed; equal texts share the mark.
        tied: whether the data cannot tell two rows apart.
    Returns:
        {row name: BEST or SECOND}.
    """
    if len(values) < 2:
        return {}
    order = sorted(values, key=lambda name: values[name], reverse=better == "higher")
    found: dict[str, str] = {}
    for mark in (BEST, SECOND):
        rest = [name for name in order if name not in found]
        if rest:
            top = rest[0]
            found |= {name: mark for name in rest if name == top or text(name) == text(top) or tied(name, top)}
    return found


def figure(value: float, digits: int | None) -> str:
    """Format a number with `digits` decimals, or with three significant digits if None; zero has no sign."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    value = value or 0.0  # no -0
    if digits is not None:
        text = f"{value:.{digits}f}"
        return text.removeprefix("-") if float(text) == 0 else text  # never -0.0000
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def listed(values: Iterable) -> str:
    """Distinct values in their order, separated by commas."""
    return ", ".join(dict.fromkeys(str(value) for value in values))
