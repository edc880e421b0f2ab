"""The processes that a process has started, whatever their sessions."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import psutil


def started_by(pid: int) -> list[psutil.Process]:
    """The living descendants of a process; none where it is gone."""
    with suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def kill(processes: Iterable[psutil.Process]) -> None:
    """End processes at once, but for those that are gone."""
    for each in processes:
        with suppress(psutil.Error):
            each.kill()
