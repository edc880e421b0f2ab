"""The parser that commands with plain flags share."""

from __future__ import annotations

from bench.commands import COMMANDS
from frames import command_line


class Parser(command_line.Parser):
    """Arguments of one command of `python -m bench`.

    Args:
        command: its name in COMMANDS, which also has its first line of help.
        about: more paragraphs of help.
        epilog: the last paragraph, such as the exit codes.
    """

    def __init__(self, command: str, about: str = "", epilog: str | None = None) -> None:
        first = COMMANDS[command]
        super().__init__(f"python -m bench {command}", f"{first}.\n\n{about}" if about else first, epilog)
