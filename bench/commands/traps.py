"""`python -m bench explain --traps`: score the same prediction with the faults of other scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.commands.pairs import Pair
from bench.metrics.recipes import MEAN, ProtocolScorer, Recipe
from bench.metrics.traps import TRAPS, Trap

Frames = Callable[[Pair], Iterator[tuple[np.ndarray, np.ndarray]]]
Trapped = list[tuple[Trap | None, list[Recipe]]]
"""Recipes of the frames as they are (None), then of each trap."""


def under_traps(pairs: Iterable[Pair], scorer: ProtocolScorer, frames: Frames) -> Trapped:
    """Score clips unchanged, and with the fault of each trap.

    Args:
        pairs: clips that can be scored.
        scorer: of one protocol.
        frames: reads the frames of a clip.
    """
    pairs = list(pairs)
    found: Trapped = [(None, scorer.recipes({pair.name: scorer.score(frames(pair)) for pair in pairs}))]
    for trap in TRAPS:
        found.append((trap, scorer.recipes({pair.name: scorer.score(trap.apply(frames(pair))) for pair in pairs})))
    return found


def show(found: Trapped, protocol: str) -> None:
    """Print a table for each metric: the figure under each trap, and its difference from that of unchanged frames."""
    console = Console(width=None if Console().is_terminal else 200, highlight=False)
    for place, plain in enumerate(found[0][1]):
        kind, base = plain.kind, _figure(plain)
        if base is None:
            continue
        table = Table(title=f"{kind.title} under {protocol}, if other frames had been scored", title_justify="left")
        for head in ("trap", "figure", "change", "what"):
            table.add_column(head, justify="right" if head in ("figure", "change") else "left")
        table.add_row("none", f"{base:.{kind.digits}f}", "", "the frames as they are")
        for trap, recipes in found[1:]:
            value = _figure(recipes[place])
            if trap is not None and value is not None:
                table.add_row(trap.name, f"{value:.{kind.digits}f}", f"{value - base:+.{kind.digits + 1}f}", trap.about)
        console.print(table)


def answer(found: Trapped, protocol: str, quoted: float, tolerance: float) -> str:
    """Text that names the traps which give a quoted number that unchanged frames do not; empty if none does."""
    lines = []
    for place, plain in enumerate(found[0][1]):
        for trap, recipes in found[1:]:
            value, base = _figure(recipes[place]), _figure(plain)
            if trap is None or value is None or base is None:
                continue
            if abs(value - quoted) <= tolerance * (1 + 1e-9) < abs(base - quoted):
                lines.append(f"  {trap.name}: {plain.metric} {value:.6g} under {protocol} ({trap.about})")
    return "\n".join(["with a trap it is reproduced by", *lines]) if lines else ""


def _figure(recipe: Recipe) -> float | None:
    """The figure of the set, or of its only clip; None if there is none."""
    column = MEAN if MEAN in recipe.figures else next(iter(recipe.figures), None)
    return None if column is None else recipe.figures[column]
