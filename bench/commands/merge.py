"""`python -m bench merge A B --out OUT`: several runs joined into one folder."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.commands.parser import Parser
from frames.errors import NOTHING_MEASURED, OK, UserError

ABOUT = """Joins runs that differ only in their methods and clips. If they differ in anything else (options of the data
set, degradation, scale, protocol, metrics, options of one method, frames of one clip), they are refused, and the
difference is named. If several runs have the same method on the same clip, the newest record that did not fail is kept.
environment.json keeps the values that all runs agree on."""


def main(argv: list[str]) -> int:
    parser = Parser("merge", ABOUT)
    parser.add_argument("runs", type=Path, nargs="+", metavar="run", help="folders of runs")
    parser.add_argument("--out", type=Path, required=True, help="a new folder for the joined run")
    arguments = parser.parse_args(argv)
    if len(arguments.runs) < 2:
        raise UserError("give at least two runs to merge")
    from bench.commands.run import report
    from bench.run.merging import merge

    count = merge(arguments.runs, arguments.out)
    if not count:
        print("nothing was measured in these runs", file=sys.stderr)
        return NOTHING_MEASURED
    report(arguments.out)
    print(f"{count} records of {len(arguments.runs)} runs are in {arguments.out}", file=sys.stderr)
    return OK
