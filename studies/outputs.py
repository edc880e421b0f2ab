"""Argparse types for options that name an output: mistakes show before anything is measured.

Also the stored settings of a folder of results.
"""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from frames.atomic import replacing
from frames.errors import UserError


def out_file(text: str) -> Path:
    """Argparse type of a file to write, in a folder that exists."""
    path = Path(text)
    if path.is_dir():
        raise ArgumentTypeError(f"{path}: it is a folder; give a file")
    if not path.parent.is_dir():
        raise ArgumentTypeError(f"{path}: there is no folder {path.parent}; make it first")
    return path


def out_folder(text: str) -> Path:
    """Argparse type of a folder to write into, which need not exist yet."""
    path = Path(text)
    blocking = next((each for each in (path, *path.parents) if each.exists() and not each.is_dir()), None)
    if blocking is not None:
        raise ArgumentTypeError(f"{path}: {blocking} is a file; give a folder")
    return path


def keep_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Write a folder's settings to `settings.json`. Raises `UserError` if the folder was made with others."""
    path = folder / "settings.json"
    text = json.dumps(settings, indent=1) + "\n"
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace") != text:
        raise UserError(f"{path}: this folder was made with other settings; give another one, or remove this one")
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
