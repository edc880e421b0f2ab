"""Atomic writing: a file appears complete or not at all."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = 40  # characters of the file's name that its temporary file's name repeats


@contextmanager
def replacing(path: Path, within: Path | None = None) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with the same suffix; the file written there replaces `path` at the end.

    Missing folders are created. After an error the temporary file is removed and `path` is unchanged; a system error
    that names no file (a full disk) then names `path`.

    Args:
        within: folder for the temporary file, used if it is on the same disk as `path`; `leftovers` finds the files
            that killed processes left there.
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
    """Temporary files of `path` that killed processes left in `within`; no process may be replacing `path` now."""
    name = re.compile(rf"\.{re.escape(path.stem[:NAME])}\.[0-9]+-[0-9]+{re.escape(path.suffix)}")
    return [entry for entry in within.iterdir() if name.fullmatch(entry.name)]
