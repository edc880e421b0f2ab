"""`python -m bench compare A B`: two runs side by side, with intervals."""

from __future__ import annotations

from pathlib import Path

from bench.commands.parser import Parser
from bench.commands.reading import read_undamaged
from bench.gate import formats
from bench.gate.comparison import compare
from frames.errors import NOTHING_MEASURED, OK


def main(argv: list[str]) -> int:
    parser = Parser("compare")
    parser.add_argument("first", type=Path, help="a run's folder")
    parser.add_argument("second", type=Path, help="another run's folder, measured in the same way")
    parser.add_argument("--reference", help="method whose time is the unit of speed")
    arguments = parser.parse_args(argv)
    names = str(arguments.first), str(arguments.second)
    found = compare(read_undamaged(arguments.first), read_undamaged(arguments.second), arguments.reference, names=names)
    formats.terminal(found, f"{names[0]} -> {names[1]}")
    return OK if any(each.clips for each in found) else NOTHING_MEASURED
