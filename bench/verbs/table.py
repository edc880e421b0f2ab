"""`python -m bench table RUN`: the table of a run again, on the terminal or as Markdown, CSV or LaTeX."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from bench.errors import OK
from bench.report import tables
from bench.report.summary import rows
from bench.store import records

HELP = "print a run's tables (terminal, md, csv, tex)"
_FORMATS = {"md": tables.markdown, "csv": tables.comma_separated, "tex": tables.latex}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench table", description=HELP)
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--format", choices=["terminal", *_FORMATS], default="terminal")
    parser.add_argument("--mix", action="store_true", help="put unlike signatures into one column, marked as mixed")
    parser.add_argument("--signatures", action="store_true", help="print the full recipe of every figure below")
    arguments = parser.parse_args(argv)
    found = records.load(arguments.run)
    show(found, arguments.format, arguments.mix)
    if arguments.signatures:
        print("\n".join(dict.fromkeys(f"{row.metric}: {row.signature}" for row in rows(found))))
    return OK


def show(found: list[dict], kind: str = "terminal", mix: bool = False) -> None:
    """Print all tables of these records to standard output."""
    console = Console(width=None if Console().is_terminal else 160, highlight=False)
    for table in tables.tables(found, mix):
        if kind == "terminal":
            tables.terminal(table, console)
        else:
            print(_FORMATS[kind](table))


def write(found: list[dict], folder: Path) -> None:
    """table.md, table.csv and table.tex of a run folder."""
    for suffix, render in _FORMATS.items():
        text = "\n".join(render(table) for table in tables.tables(found))
        (folder / f"table.{suffix}").write_text(text, encoding="utf-8")
