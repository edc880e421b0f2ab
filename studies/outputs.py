"""Options that name an output, as argparse types: a mistake is told before anything is measured, not after."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path


def out_file(text: str) -> Path:
    """A file to write, in a folder that is there."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{path}: it is a folder; give a file")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"{path}: there is no folder {path.parent}; make it first")
    return path


def out_folder(text: str) -> Path:
    """A folder to write into, which need not be there yet."""
    path = Path(text)
    blocking = next((each for each in (path, *path.parents) if each.exists() and not each.is_dir()), None)
    if blocking is not None:
        raise ArgumentTypeError(f"{path}: {blocking} is a file; give a folder")
    return path
