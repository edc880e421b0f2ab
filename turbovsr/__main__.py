"""The command line: `python -m turbovsr IN OUT`. `turbovsr.command` does the work."""

from __future__ import annotations

from frames.command_line import guarded, importing, process
from turbovsr.arguments import parse


def main(argv: list[str]) -> int:
    """Run the command; returns its exit code. Whatever goes wrong is one line on stderr."""
    return guarded("turbovsr", lambda: _run(argv))


def _run(argv: list[str]) -> int:
    if argv[:1] == ["export"]:  # a file of this name is ./export
        with importing():
            from turbovsr import export
        return export.run(argv[1:])
    arguments = parse(argv)
    with importing():
        from turbovsr import command
    return command.run(arguments)


if __name__ == "__main__":
    process(main)
