"""Atomic writing: a file appears complete or not at all."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = 40  # characters of a file's name in that of its temporary file


@contextmanager
def replacing(path: Path, within: Path | None = None) -> Iterator[Path]:
    """Give a temporary path beside `path`, of the same suffix; it takes the place of `path` if all goes well.

    Missing folders are made. After an error the temporary file is gone and `path` is as it was; an error of the system
    that names no file (a full disk) names `path`.

    Args:
        within: the folder of the temporary file, where it lies on the disk of `path`; `leftovers` finds what a killed
            process left there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if within is None or within.stat().st_dev != path.parent.stat().st_dev:
        within = path.parent
    temporary = within / f".{path.stem[:NAME]}.{os.getpid()}-{threading.get_ident()}{path.suffix}"
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary), temporary):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def leftovers(path: Path, within: Path) -> list[Path]:
    """The temporary files of `path` that killed processes left in a folder in which no other process replaces it."""
    name = re.compile(rf"\.{re.escape(path.stem[:NAME])}\.[0-9]+-[0-9]+{re.escape(path.suffix)}")
    return [entry for entry in within.iterdir() if name.fullmatch(entry.name)]
