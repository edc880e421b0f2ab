"""The command line: `python -m bench COMMAND ...`."""

from __future__ import annotations

import importlib
import sys

from bench.commands import COMMANDS
from frames.command_line import guarded, importing, process
from frames.errors import ERROR, OK, UserError, did_you_mean


def main(argv: list[str]) -> int:
    """Run one command and return its exit code; an error is one line on stderr."""
    return guarded("bench", lambda: _run(argv))


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_help())
        return OK if argv else ERROR
    command, *rest = argv
    if command not in COMMANDS:
        raise UserError(f"unknown command '{command}'{did_you_mean(command, COMMANDS)}")
    with importing():
        module = importlib.import_module(f"bench.commands.{command.replace('-', '_')}")
    return module.main(rest)


def _help() -> str:
    lines = ["usage: python -m bench COMMAND ...    (COMMAND --help tells more)", ""]
    lines += [f"  {command:16}{summary}" for command, summary in COMMANDS.items()]
    return "\n".join(lines)


def cli() -> None:
    """The `bench` command, which finds classes in modules of the current folder, as `python -m bench` does."""
    if not sys.flags.safe_path:
        sys.path.append("")  # last: nothing there takes the place of a package
    process(main)


if __name__ == "__main__":
    cli()
