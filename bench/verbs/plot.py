"""`python -m bench plot RUN`: the speed-versus-quality plot of a run again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.errors import NOTHING_MEASURED, OK
from bench.report import plot
from bench.store import records

HELP = "draw a run's speed-versus-quality plot (PNG and SVG)"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench plot", description=HELP)
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--out", type=Path, help="where to write, without suffix (default: plot in the run's folder)")
    arguments = parser.parse_args(argv)
    files = write(records.load(arguments.run), arguments.run, arguments.out)
    if not files:
        print("bench: nothing to plot: no method has both a time and a score", file=sys.stderr)
        return NOTHING_MEASURED
    print("\n".join(map(str, files)))
    return OK


def write(found: list[dict], folder: Path, stem: Path | None = None) -> list[Path]:
    """plot.png and plot.svg of a run folder; no files when there is nothing to plot."""
    figure = plot.speed_quality(found)
    return plot.write(figure, stem or folder / "plot") if figure else []
