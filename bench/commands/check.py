"""`python -m bench check RUN --against GOLDEN`: the gate for CI on quality and relative speed."""

from __future__ import annotations

import os
from argparse import Namespace
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

from bench.commands.parser import Parser
from bench.commands.reading import read_undamaged
from bench.gate import formats, margins
from bench.gate.comparison import Comparison, compare
from bench.gate.verdict import FAILING
from frames.errors import NOTHING_MEASURED, OK, REGRESSED, one_line

_EPILOG = """exit codes: 0 nothing is worse, 1 something is worse or missing, 2 nothing was compared, 3 error, or
the runs were not measured in one way; docs/gate.md has the table of decisions"""


def main(argv: list[str]) -> int:
    arguments = _parser().parse_args(argv)
    failing = {*FAILING, *(("inconclusive",) if arguments.strict else ())}
    try:
        found, in_common = _compared(arguments)
    except Exception as error:
        if arguments.junit:  # the file of an earlier check must not stand for this one
            formats.junit([], failing, arguments.junit, one_line(error))
        raise
    nothing = "" if found and in_common else "nothing was compared"
    on_github = bool(os.environ.get("GITHUB_ACTIONS"))
    with formats.no_commands() if on_github else nullcontext():
        formats.terminal(found, f"{arguments.run} against {arguments.against}")
    if arguments.junit:
        formats.junit(found, failing, arguments.junit, nothing)
    if on_github:
        print("\n".join(formats.github(found, failing)))
    if nothing:
        print(nothing)
        return NOTHING_MEASURED
    verdicts = Counter(each.verdict for each in found)
    print(", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()))
    return REGRESSED if failing & verdicts.keys() else OK


def _compared(arguments: Namespace) -> tuple[list[Comparison], bool]:
    """Read both runs and compare them.

    Returns:
        (the comparisons, whether the runs have any clip in common).
    Raises:
        UserError: the runs, or what is to be gated, cannot be compared.
    """
    names = f"golden run {arguments.against}", str(arguments.run)
    golden, measured = read_undamaged(arguments.against), read_undamaged(arguments.run)
    allowed = margins.parse(arguments.margin, {name for record in golden for name in record.scores})
    found = compare(golden, measured, arguments.reference, allowed, names)
    clips, there = ({(record.data, record.clip) for record in each} for each in (golden, measured))
    return found, bool(clips & there)


def _parser() -> Parser:
    parser = Parser("check", epilog=_EPILOG)
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--against", type=Path, required=True, help="folder of the golden run")
    parser.add_argument("--reference", help="method whose time is the unit of speed (default: speed is not gated)")
    parser.add_argument(
        "--margin",
        action="append",
        default=[],
        metavar="METRIC=VALUE",
        help="largest difference that counts as no change, for a metric or a family: "
        + ", ".join(f"{k}={v}" for k, v in margins.MARGINS.items()),
    )
    parser.add_argument("--strict", action="store_true", help="treat inconclusive verdicts as failures")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    return parser
