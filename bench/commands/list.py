"""`python -m bench list`: list methods, data sets, degradations, protocols and metrics, one line each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.commands import COMMANDS
from bench.commands.options import config_dirs
from bench.groups import GROUPS, members
from frames.errors import OK, UserError
from frames.text_files import read_text

_HELP = """usage: python -m bench list [--cost] [--config-dir DIR]

{about}

--cost            only the metrics, with their time per frame on this machine; measured once, a minute or two
--config-dir DIR  include a folder of configurations of your own"""


def main(argv: list[str]) -> int:
    if "-h" in argv or "--help" in argv:
        print(_HELP.format(about=COMMANDS["list"]))
        return OK
    with_cost = "--cost" in argv
    words, folders = config_dirs([word for word in argv if word != "--cost"])
    if words:
        raise UserError(f"list takes no names: '{words[0]}'; of data sets, `python -m bench data NAME` lists the clips")
    table = Table(box=None, pad_edge=False, show_header=False)
    caption = ""
    if with_cost:
        from bench.commands.costs import rows  # torch and the networks: only where costs are asked for

        found, caption = rows(folders)
        for name, cost, about in found:
            table.add_row(escape(f"metrics=[{name}]"), cost, escape(about))
    else:
        for word, about in _lines(folders):
            table.add_row(escape(word), escape(about))
    Console(width=None if Console().is_terminal else 160, highlight=False).print(table)
    if caption:
        print(f"\n{caption}")
    return OK


def _lines(folders: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(word for the command line, summary) of each member of each group."""
    for group in GROUPS:
        for name, file in members(group, folders).items():
            yield f"{group}={name}", summary(file)
    for name, file in members("metric", folders).items():
        yield f"metrics=[{name}{'/NAME' if is_open(file) else ''}]", summary(file)


def summary(file: Path) -> str:
    """The summary of a config file: its `summary:` line, else its first comment."""
    lines = read_text(file).splitlines()
    for line in lines:
        if line.strip().startswith("summary:"):
            return line.split(":", 1)[1].strip().strip("\"'")
    return next((line.lstrip("# ").strip() for line in lines if line.startswith("#") and "@package" not in line), "")


def is_open(file: Path) -> bool:
    """Whether a config leaves an option open (`name: ???`) that the command line fills in."""
    return any(line.split("#")[0].rstrip().endswith("???") for line in read_text(file).splitlines())
