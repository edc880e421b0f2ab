"""Flags that several commands share."""

from __future__ import annotations

from pathlib import Path

from frames.errors import UserError

CONFIG_DIR_HELP = "a folder with configs of data sets and degradations of your own, to read their frames again"


def as_option(argv: list[str], name: str) -> list[str]:
    """Rewrite `--name VALUE` and `--name=VALUE` in the arguments as the option `name=VALUE`."""
    rest = []
    arguments = iter(argv)
    for argument in arguments:
        if argument == f"--{name}":
            rest.append(f"{name}={next(arguments, '')}")
        else:
            rest.append(argument.removeprefix("--") if argument.startswith(f"--{name}=") else argument)
    return rest


def config_dirs(argv: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Split every `--config-dir DIR`, a folder with configs of the user's own, from the other arguments.

    Returns:
        (the remaining arguments, the folders).
    Raises:
        UserError: a folder is not there or not named, or another flag is among the arguments.
    """
    rest, folders = [], []
    arguments = iter(argv)
    for argument in arguments:
        if argument.startswith("--config-dir="):
            folders.append(argument.partition("=")[2])
        elif argument == "--config-dir":
            folders.append(next(arguments, ""))
        elif argument in ("-m", "--multirun"):
            raise UserError(f"unknown flag {argument}; several values are written with commas: method=bicubic,turbovsr")
        elif argument.startswith("-"):
            raise UserError(f"unknown flag {argument}; options are written KEY=VALUE (see --help)")
        else:
            rest.append(argument)
    for folder in folders:
        if not folder:
            raise UserError("--config-dir: the name of a folder is missing; write --config-dir DIR")
        if not Path(folder).is_dir():
            raise UserError(f"--config-dir {folder}: no such folder")
    return rest, tuple(folders)
