"""`python -m bench plot RUN ... --kind KIND`: the plots of runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import labels
from bench.commands.parser import Parser
from bench.commands.reading import read_runs
from bench.report import plot
from bench.report.look import FORMATS, THEMES, WIDTHS
from bench.report.merge import merged
from bench.store.record import Record
from frames.errors import NOTHING_MEASURED, OK, UserError, did_you_mean


def main(argv: list[str]) -> int:
    parser = Parser("plot")
    parser.add_argument("runs", type=Path, nargs="+", metavar="run", help="folders of runs")
    parser.add_argument(
        "--kind", default="speed-quality", help=f"{', '.join(plot.KINDS)}, or all (default %(default)s)"
    )
    parser.add_argument("--metrics", type=labels.listed, metavar="A,B", help="scores to draw (default: all)")
    parser.add_argument("--data", type=labels.listed, metavar="A,B", help="data sets (default: all)")
    parser.add_argument("--methods", type=labels.listed, metavar="A,B", help="methods (default: all)")
    parser.add_argument(
        "--clips", type=labels.listed, metavar="A,B", help="clips of --kind frames (default: the first six)"
    )
    parser.add_argument("--theme", choices=THEMES, default="light", help="colours of the plot")
    parser.add_argument(
        "--width", choices=WIDTHS, help="width of a paper's column or page (default: depends on the kind)"
    )
    parser.add_argument(
        "--format", type=labels.listed, metavar="A,B", help="png, svg, pdf (default: that of --out, else png,svg)"
    )
    parser.add_argument("--bare", action="store_true", help="no small print under the plot")
    parser.add_argument(
        "--out", type=Path, help="FILE.pdf, or FILE without a suffix (default: in the first run's folder)"
    )
    arguments = parser.parse_args(argv)
    suffix = arguments.out.suffix[1:] if arguments.out else ""
    if suffix in FORMATS:
        arguments.out = arguments.out.with_suffix("")
        arguments.format = arguments.format or [suffix]
    arguments.format = arguments.format or ["png", "svg"]
    for given, known, option in (
        (arguments.format, FORMATS, "--format"),
        ([arguments.kind], [*plot.KINDS, "all"], "--kind"),
    ):
        for word in given:
            if word not in known:
                raise UserError(f"{option} {word}: unknown{did_you_mean(word, known)}")
    found = _chosen(merged(read_runs(arguments.runs)), arguments)
    kinds = list(plot.KINDS) if arguments.kind == "all" else [arguments.kind]
    files = [file for kind in kinds for file in _draw(kind, found, arguments)]
    if not files:
        print(f"bench: nothing to plot: {_MISSING[kinds[0]]}", file=sys.stderr)
        return NOTHING_MEASURED
    print("\n".join(map(str, files)))
    return OK


_MISSING = {
    "speed-quality": "no method has both a time and a score",
    "frames": "no clip of several frames was scored",
    "stages": "nothing was timed",
    "cost-size": "nothing was timed",
    "memory-size": "nothing was timed",
    "steps": "no method was run with several numbers of steps (method.steps=1,2,4)",
}


def write(found: list[Record], folder: Path, kind: str = "speed-quality") -> list[Path]:
    """Write a plot into a run folder as PNG and SVG; returns the files, none if there is nothing to plot."""
    from bench.report.plots import style

    figure = plot.draw(kind, found)
    return style.write(figure, folder / _name(kind)) if figure else []


def _name(kind: str) -> str:
    return "plot" if kind == "speed-quality" else f"plot-{kind}"


def _draw(kind: str, found: list[Record], arguments: argparse.Namespace) -> list[Path]:
    from bench.report.plots import style

    named = {name: getattr(arguments, name) for name in ("theme", "width", "metrics", "clips")}
    figure = plot.draw(kind, found, **named, captioned=not arguments.bare)
    if figure is None:
        return []
    stem = arguments.out or arguments.runs[0] / (
        _name(kind) + ("" if arguments.theme == "light" else f"-{arguments.theme}")
    )
    if arguments.out and arguments.kind == "all":
        stem = stem.with_name(f"{stem.name}-{kind}")
    stem.parent.mkdir(parents=True, exist_ok=True)
    return style.write(figure, stem, tuple(arguments.format))


def _chosen(found: list[Record], arguments: argparse.Namespace) -> list[Record]:
    """The records of the wanted data sets and methods; UserError for a name that no record has."""
    scores = {name for record in found for name in record.scores}
    for option, wanted, known in (
        ("--data", arguments.data, {r.data for r in found}),
        ("--methods", arguments.methods, {r.method for r in found}),
        ("--metrics", arguments.metrics, scores),
        ("--clips", arguments.clips, {r.clip for r in found} | {f"{r.data}/{r.clip}" for r in found}),
    ):
        for word in wanted or ():
            if word not in known:
                raise UserError(f"{option} {word}: not in these runs{did_you_mean(word, known)}")
    return [
        record
        for record in found
        if (not arguments.data or record.data in arguments.data)
        and (not arguments.methods or record.method in arguments.methods)
    ]
