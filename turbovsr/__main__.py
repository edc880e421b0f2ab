"""The command line: `python -m turbovsr IN OUT`. `turbovsr.command` does the work."""

from __future__ import annotations

from frames.command_line import guarded, importing, process
from turbovsr.arguments import parse


def main(argv: list[str]) -> int:
    """Run the command; returns its exit code. Whatever goes wrong is one line on stderr."""
    return guarded("turbovsr", lambda: _run(argv))


def _run(argv: list[str]) -> int:
    arguments = parse(argv)
    with importing():
        from turbovsr import command
    return command.run(arguments)


if __name__ == "__main__":
    process(main)
