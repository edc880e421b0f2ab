"""A comparison for people (rich), for CI servers (JUnit XML) and for GitHub (annotations)."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.gate.comparison import Finding

_COLORS = {"better": "green", "same": "", "worse": "bold red", "undecidable": "yellow", "missing": "bold red"}


def terminal(findings: list[Finding], title: str) -> None:
    """Print the comparison; changes are positive where the second run is better."""
    table = Table(
        title=title,
        caption="change: positive is better; interval: 95 %, bootstrap over clips; smallest: the "
        "smallest worsening this data could have shown; speed in log ratio",
        caption_justify="left",
    )
    for header in (
        "data",
        "method",
        "metric",
        "before",
        "after",
        "change",
        "interval",
        "margin",
        "smallest",
        "clips",
        "verdict",
    ):
        table.add_column(header, justify="left" if header in ("data", "method", "metric", "verdict") else "right")
    for f in findings:
        color = _COLORS[f.verdict]
        verdict = f"[{color}]{f.verdict}[/{color}]" if color else f.verdict
        table.add_row(
            escape(f.data),
            escape(f.method),
            f.metric,
            _number(f.before),
            _number(f.after),
            _number(f.change, "+"),
            _interval(f),
            _number(f.margin),
            _number(f.smallest_effect),
            f"{f.clips}/{f.expected}",
            verdict + (f" ({escape(f.note)})" if f.note else ""),
        )
    Console(width=None if Console().is_terminal else 180, highlight=False).print(table)


def junit(findings: list[Finding], file: Path) -> None:
    """One test case a finding; worse and missing are failures, undecidable is skipped."""
    suite = ElementTree.Element("testsuite", name="bench check", tests=str(len(findings)))
    for f in findings:
        case = ElementTree.SubElement(suite, "testcase", classname=f"{f.data}.{f.method}", name=f.metric)
        if f.verdict in ("worse", "missing"):
            ElementTree.SubElement(case, "failure", message=sentence(f))
        elif f.verdict == "undecidable":
            ElementTree.SubElement(case, "skipped", message=sentence(f))
    counts = {"failures": ("worse", "missing"), "skipped": ("undecidable",)}
    for name, verdicts in counts.items():
        suite.set(name, str(sum(f.verdict in verdicts for f in findings)))
    file.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)


def annotations(findings: list[Finding]) -> list[str]:
    """GitHub workflow commands for what needs a look."""
    kinds = {"worse": "error", "missing": "error", "undecidable": "warning"}
    return [
        f"::{kinds[f.verdict]} title=bench check {f.data} {f.method}::{sentence(f)}"
        for f in findings
        if f.verdict in kinds
    ]


def sentence(f: Finding) -> str:
    """A finding in one line."""
    figures = f"{_number(f.before)} -> {_number(f.after)}, change {_number(f.change, '+')} {_interval(f)}"
    text = f"{f.metric} of {f.method} on {f.data}: {f.verdict}"
    return f"{text}: {f.note}" if f.change is None else f"{text}: {figures}, margin {_number(f.margin)}"


def _interval(f: Finding) -> str:
    return f"({f.interval[0]:+.4g}, {f.interval[1]:+.4g})" if f.interval else "–"


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.4g}"
