"""`python -m bench check RUN --against GOLDEN`: a gate for CI on quality and relative speed."""

from __future__ import annotations

import os
from pathlib import Path

from bench.commands.parser import Parser
from bench.commands.reading import read_undamaged
from bench.gate import formats
from bench.gate.comparison import MARGINS, compare
from frames.errors import NOTHING_MEASURED, OK, REGRESSED, UserError, did_you_mean


def main(argv: list[str]) -> int:
    parser = Parser(
        "check", epilog="exit codes: 0 nothing is worse, 1 worse or missing, 2 nothing was compared, 3 error"
    )
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--against", type=Path, required=True, help="folder of the golden run")
    parser.add_argument("--reference", help="method whose time is the unit of speed (default: speed is not gated)")
    parser.add_argument(
        "--margin",
        action="append",
        default=[],
        metavar="FAMILY=VALUE",
        help="what counts as no change: " + ", ".join(f"{k}={v}" for k, v in MARGINS.items()),
    )
    parser.add_argument("--strict", action="store_true", help="undecidable fails, too")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    arguments = parser.parse_args(argv)
    golden, measured = read_undamaged(arguments.against), read_undamaged(arguments.run)
    if arguments.reference and arguments.reference not in {record.method for record in golden}:
        known = {record.method for record in golden}
        raise UserError(
            f"--reference {arguments.reference}: not in {arguments.against}{did_you_mean(arguments.reference, known)}"
        )
    findings = compare(golden, measured, arguments.reference, _margins(arguments.margin))
    formats.terminal(findings, f"{arguments.run} against {arguments.against}")
    if arguments.junit:
        formats.junit(findings, arguments.junit)
    if os.environ.get("GITHUB_ACTIONS"):
        print("\n".join(formats.annotations(findings)))
    verdicts = [finding.verdict for finding in findings]
    if not findings or not any(finding.clips for finding in findings):
        print("nothing was compared")
        return NOTHING_MEASURED
    bad = {"worse", "missing"} | ({"undecidable"} if arguments.strict else set())
    print(", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(verdicts)))
    return REGRESSED if bad & set(verdicts) else OK


def _margins(items: list[str]) -> dict[str, float]:
    found = {}
    for item in items:
        family, _, value = item.partition("=")
        if family not in MARGINS:
            raise UserError(f"--margin {item}: unknown family{did_you_mean(family, MARGINS)}")
        try:
            found[family] = float(value)
        except ValueError as error:
            raise UserError(f"--margin {item}: '{value}' is no number") from error
    return found
