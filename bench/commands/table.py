"""`python -m bench table RUN ...`: the tables of runs, on the terminal or as Markdown, CSV or LaTeX."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench import labels
from bench.commands.parser import Parser
from bench.commands.reading import read_runs
from bench.report import agreement, cited, latex, tables, text
from bench.report.columns import FACTS
from bench.report.grid import Grid
from bench.report.merge import merged
from bench.report.summary import rows
from frames.atomic import replacing
from frames.errors import NOTHING_MEASURED, OK
from frames.text import printable

PUBLISHED = Path("results") / "published"
FORMATS: dict[str, Callable[[Grid], str]] = {"md": text.markdown, "csv": text.comma_separated, "tex": latex.latex}


def main(argv: list[str]) -> int:
    parser = Parser("table")
    parser.add_argument("runs", type=Path, nargs="+", metavar="run", help="folders of runs")
    parser.add_argument(
        "--format", choices=["terminal", *FORMATS], default="terminal", help="form of the printed table"
    )
    facts = ", ".join(FACTS)
    parser.add_argument(
        "--columns",
        type=labels.listed,
        metavar="A,B",
        help=f"metrics, named as in summary.csv, and: {facts} (default: all metrics)",
    )
    parser.add_argument("--rows", type=labels.listed, metavar="A,B", help="methods, in this order (default: all)")
    parser.add_argument("--sort", metavar="COLUMN", help="sort by a metric, best first, or by 'method'")
    parser.add_argument("--intervals", action="store_true", help="print 95 %% intervals")
    parser.add_argument(
        "--cite", action="append", default=[], metavar="GROUP", help="add published rows below, marked as cited"
    )
    parser.add_argument(
        "--published", type=Path, default=PUBLISHED, help="folder of the published rows (default %(default)s)"
    )
    parser.add_argument("--agreement", action="store_true", help="print how far viewers agree with these metrics")
    parser.add_argument("--mix", action="store_true", help="put unlike signatures into one column, marked as mixed")
    parser.add_argument("--signatures", action="store_true", help="print the full recipe of every figure below")
    arguments = parser.parse_args(argv)
    found = merged(read_runs(arguments.runs), arguments.mix)
    if not found:
        print("nothing was measured in these runs")
        return NOTHING_MEASURED
    quoted = cited.of_groups(arguments.published, arguments.cite) if arguments.cite else None
    made = tables.tables(found, arguments.mix, arguments.columns, arguments.rows, arguments.sort, quoted)
    _print(made, arguments.format, arguments.intervals)
    if quoted is not None and not any(table.cited for table in made):
        about = printable(", ".join(table.data for table in made))
        print(f"bench: nothing of {', '.join(arguments.cite)} is about {about}", file=sys.stderr)
    if arguments.agreement:
        print(agreement.line(arguments.published, found))
    if arguments.signatures:
        print("\n".join(dict.fromkeys(printable(f"{row.metric}: {row.signature}") for row in rows(found))))
    return OK


def show(made: list[tables.Table]) -> None:
    """Print tables to the terminal."""
    _print(made, "terminal")


def write(made: list[tables.Table], folder: Path) -> None:
    """Write table.md, table.csv and table.tex into a run's folder."""
    for suffix, render in FORMATS.items():
        content = "\n".join(render(table.grid()) for table in made)
        with replacing(folder / f"table.{suffix}") as file:
            file.write_text(content, encoding="utf-8")


def _print(made: list[tables.Table], kind: str, with_intervals: bool = False) -> None:
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    for table in made:
        if kind == "terminal":
            text.terminal(table.grid(with_intervals), console)
        else:
            print(FORMATS[kind](table.grid(with_intervals)))
