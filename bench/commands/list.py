"""`python -m bench list`: the methods, data sets, degradations, protocols and metrics there are, a line each."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.commands import COMMANDS
from bench.commands.options import config_dirs
from bench.groups import GROUPS, members
from frames.errors import OK
from frames.text_files import read_text


def main(argv: list[str]) -> int:
    if "-h" in argv or "--help" in argv:
        print(f"usage: python -m bench list [--config-dir DIR]\n\n{COMMANDS['list']}")
        return OK
    _, folders = config_dirs(argv)
    table = Table(box=None, pad_edge=False, show_header=False)
    for group in GROUPS:
        for name, file in members(group, folders).items():
            table.add_row(f"{group}={name}", summary(file))
    for name, file in members("metric", folders).items():
        word = name + ("/NAME" if _is_open(file) else "")
        table.add_row(escape(f"metrics=[{word}]"), summary(file))
    Console(width=None if Console().is_terminal else 160, highlight=False).print(table)
    return OK


def summary(file: Path) -> str:
    """A config's `summary:` line, else its first comment."""
    lines = read_text(file).splitlines()
    for line in lines:
        if line.strip().startswith("summary:"):
            return line.split(":", 1)[1].strip().strip("\"'")
    return next((line.lstrip("# ").strip() for line in lines if line.startswith("#") and "@package" not in line), "")


def _is_open(file: Path) -> bool:
    """Whether a config leaves an option open (`name: ???`) that the command line fills in."""
    return any(line.split("#")[0].rstrip().endswith("???") for line in read_text(file).splitlines())
