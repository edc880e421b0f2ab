"""Columns as a terminal has room for them: no figure is ever cut, what does not fit stands in a further part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len

from bench.report.grid import Cell, Grid

EDGE, BETWEEN = 4, 3
"""Characters of borders and padding: of a table with one column, and of each further column."""
NAME = 16  # characters that the first column keeps at least, however narrow the terminal
WHOLE = 24  # characters up to which a cell is never broken: a figure with its interval


@dataclass(frozen=True)
class Part:
    """Columns, by index, that are printed as one table, and the width of each; None: its natural width."""

    columns: tuple[int, ...]
    widths: tuple[int | None, ...]


def parts(grid: Grid, width: int, printed: Callable[[Cell], str]) -> list[Part]:
    """The parts of a table, each no wider than the terminal where that is possible; the first column is in all of them.

    Args:
        width: of the terminal, in characters.
        printed: a cell as it will be printed, without marks of style.
    """
    every = range(len(grid.heads))
    cells = [[printed(line[index]) for block in grid.blocks for line in block.rows] for index in every]
    cells[0] += [block.heading for block in grid.blocks]
    titles = [(head.group, head.text) for head in grid.heads]
    natural = [max(map(cell_len, [*cells[index], *titles[index]])) for index in every]
    if _total(natural) <= width:
        return [Part(tuple(every), (None,) * len(natural))]
    least = [max([*map(_least, cells[index]), *map(_longest_word, titles[index])]) for index in every]
    least[0] = min(natural[0], max(NAME, width // 3))
    found = [[0]]
    for index in every[1:]:
        if found[-1] != [0] and _total([least[i] for i in (*found[-1], index)]) > width:
            found.append([0])
        found[-1].append(index)
    return [Part(tuple(each), _shared(each, least, natural, width)) for each in found]


def _shared(columns: list[int], least: list[int], natural: list[int], width: int) -> tuple[int, ...]:
    """The widths of these columns: the least that each needs, and what is over given out from the left."""
    found = [least[index] for index in columns]
    over = max(0, width - _total(found))
    for place, index in enumerate(columns):
        more = min(over, natural[index] - found[place])
        found[place], over = found[place] + more, over - more
    return tuple(found)


def _least(text: str) -> int:
    return min(cell_len(text), max(WHOLE, _longest_word(text)))


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _total(widths: list[int]) -> int:
    return EDGE + sum(widths) + BETWEEN * (len(widths) - 1)
