"""`python -m bench compare A B`: two runs side by side, with intervals."""

from __future__ import annotations

from pathlib import Path

from bench.commands.parser import Parser
from bench.commands.reading import read_run
from bench.gate import formats
from bench.gate.comparison import compare
from frames.errors import NOTHING_MEASURED, OK


def main(argv: list[str]) -> int:
    parser = Parser("compare")
    parser.add_argument("first", type=Path, help="a run's folder")
    parser.add_argument("second", type=Path, help="another run's folder")
    parser.add_argument("--reference", help="method whose time is the unit of speed")
    arguments = parser.parse_args(argv)
    first, second = (read_run(folder) for folder in (arguments.first, arguments.second))
    findings = compare(first, second, arguments.reference)
    formats.terminal(findings, f"{arguments.first} -> {arguments.second}")
    return OK if any(finding.clips for finding in findings) else NOTHING_MEASURED
