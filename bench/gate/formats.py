"""A comparison for people (rich), for CI servers (JUnit XML) and for GitHub (annotations)."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.gate.comparison import Comparison
from bench.gate.verdict import FAILING
from frames.text import printable

_COLORS = {"better": "green", "same": "", "inconclusive": "yellow"} | {verdict: "bold red" for verdict in FAILING}
_LEFT = ("data", "method", "metric", "verdict")
_HEADERS = (*_LEFT[:3], "before", "after", "change", "interval", "margin", "smallest", "clips", "verdict")
_VERDICT = 12  # characters, at least, of the last column: one of the verdicts
_CAPTION = (
    "change: positive is better; interval: 95 %, Student's over clips; smallest: the smallest worsening that "
    "this data could have shown; speed: ratio of times, its change as a logarithm"
)


def terminal(found: Sequence[Comparison], title: str, console: Console | None = None) -> None:
    """Print the comparison; changes are positive where the second run is better.

    A terminal too narrow for the table's figures gets one sentence for each comparison.
    """
    console = console or Console(width=None if Console().is_terminal else 180, highlight=False)
    rows = [_row(each) for each in found]
    widths = [max(map(cell_len, column)) for column in zip(_HEADERS[:-1], *(row[:-1] for row in rows), strict=True)]
    if sum(width + 3 for width in widths) + _VERDICT + 4 > console.width:
        console.print(escape(printable(title)), soft_wrap=True)
        for each in found:
            console.print(escape(sentence(each)), style=_COLORS[each.verdict] or None, soft_wrap=True)
        return
    table = Table(title=escape(printable(title)), caption=_CAPTION, caption_justify="left")
    for header in _HEADERS:
        table.add_column(header, justify="left" if header in _LEFT else "right", no_wrap=header != "verdict")
    for each, row in zip(found, rows, strict=True):
        color = _COLORS[each.verdict]
        verdict = f"[{color}]{each.verdict}[/{color}]" if color else each.verdict
        table.add_row(*map(escape, row[:-1]), verdict + (f" ({escape(row[-1])})" if row[-1] else ""))
    console.print(table)


def _row(each: Comparison) -> list[str]:
    """The cells of a comparison, the verdict's note as the last."""
    return [
        *map(printable, (each.data, each.method, each.metric)),
        _number(each.before),
        _number(each.after),
        _number(each.change, "+"),
        _interval(each),
        _number(each.margin),
        _number(each.smallest_effect),
        f"{each.clips}/{each.expected}",
        printable(each.note) if each.note else "",
    ]


def junit(found: Sequence[Comparison], failing: Collection[str], file: Path, error: str = "") -> None:
    """Write one test case for each comparison: failing verdicts as failures, other inconclusive ones as skipped.

    Args:
        failing: the verdicts that fail the gate.
        error: why nothing could be compared, in one line; it becomes a case of its own.
    """
    tests = len(found) + bool(error)
    suite = ElementTree.Element("testsuite", name="bench check", tests=str(tests), errors=str(int(bool(error))))
    for each in found:
        names = {"classname": printable(f"{each.data}.{each.method}"), "name": printable(each.metric)}
        case = ElementTree.SubElement(suite, "testcase", names)
        if each.verdict in failing:
            ElementTree.SubElement(case, "failure", message=sentence(each))
        elif each.verdict == "inconclusive":
            ElementTree.SubElement(case, "skipped", message=sentence(each))
    if error:
        case = ElementTree.SubElement(suite, "testcase", {"classname": "bench check", "name": "comparison"})
        ElementTree.SubElement(case, "error", message=error)
    for attribute, kind in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{kind}"))))
    file.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)


@contextmanager
def no_commands() -> Iterator[None]:
    """Keep GitHub from obeying workflow commands in the output of the block, which names from records could be."""
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}")
    try:
        yield
    finally:
        print(f"::{token}::")


def github(found: Sequence[Comparison], failing: Collection[str]) -> list[str]:
    """GitHub workflow commands: errors for failing verdicts, warnings for inconclusive ones.

    Args:
        failing: the verdicts that fail the gate.
    """
    kinds = {"inconclusive": "warning"} | {verdict: "error" for verdict in failing}
    return [
        f"::{kinds[each.verdict]} title={_property(f'bench check {each.data} {each.method}')}::{_data(sentence(each))}"
        for each in found
        if each.verdict in kinds
    ]


def sentence(each: Comparison) -> str:
    """A comparison in one line."""
    text = f"{each.metric} of {each.method} on {each.data}: {each.verdict}"
    if each.change is not None:
        figures = f"{_number(each.before)} -> {_number(each.after)}, change {_number(each.change, '+')}"
        text += f": {figures} {_interval(each)}, margin {_number(each.margin)}"
    return printable(f"{text}; {each.note}" if each.note else text)


def _data(text: str) -> str:
    """Text of a workflow command, escaped as GitHub's toolkit does."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property of a workflow command, with `:` and `,` escaped, which would end it."""
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")


def _interval(each: Comparison) -> str:
    return f"({each.interval[0]:+.4g}, {each.interval[1]:+.4g})" if each.interval else "–"


def _number(value: float | None, sign: str = "") -> str:
    return "–" if value is None else f"{value:{sign}.4g}"
