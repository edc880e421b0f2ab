"""`python -m bench runs`: list run folders with their contents and failures."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.commands.parser import Parser
from bench.commands.reading import read_run
from bench.store import records
from frames.errors import OK, UserError, one_line
from frames.text import printable

ROOT = Path("results") / "runs"


def main(argv: list[str]) -> int:
    parser = Parser("runs")
    parser.add_argument("root", type=Path, nargs="?", default=ROOT, help="where to look (default %(default)s)")
    arguments = parser.parse_args(argv)
    if arguments.root != ROOT and not arguments.root.exists():
        raise UserError(f"{arguments.root}: no such folder; without a name `bench runs` looks in {ROOT}")
    table = Table(box=None, pad_edge=False)
    for title in ("run", "last measured", "data", "methods", "clips ok", "failed", "device"):
        table.add_column(title)
    for folder in records.runs(arguments.root):
        try:
            found = read_run(folder)
        except (UserError, OSError) as error:  # one folder must not hide the others
            print(f"bench: {one_line(error)}", file=sys.stderr)
            continue
        if not found:
            continue
        good = sum(record.status == "ok" for record in found)
        table.add_row(
            *(
                escape(printable(text))
                for text in (
                    str(folder),
                    max(r.date for r in found)[:16],
                    ", ".join(dict.fromkeys(r.data for r in found)),
                    ", ".join(dict.fromkeys(r.method for r in found)),
                    str(good),
                    str(len(found) - good),
                    found[-1].device,
                )
            )
        )
    if table.row_count:
        Console(width=None if Console().is_terminal else 200, highlight=False).print(table)
    else:
        print(f"no runs under {arguments.root}")
    return OK
