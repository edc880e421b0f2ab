"""The common part of launchers: start the workers, restart those that died, and stop or leave them at the end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Protocol

from frames.places import CHECKOUT


class Crew(Protocol):
    """The workers that one launcher started."""

    def start(self) -> None:
        """Start all workers."""
        ...

    def tend(self, done: int) -> list[str]:
        """Restart workers that ended too early.

        Args:
            done: number of finished units; a worker that ends again and again while it does not grow is given up.
        Returns:
            Lines to show to the user.
        Raises:
            UserError: no new workers can be started.
        """
        ...

    @property
    def is_over(self) -> bool:
        """Whether no worker is at work or waits for its turn."""
        ...

    @property
    def only_scores(self) -> bool:
        """Whether no worker that upscales is at work or waits for its turn."""
        ...

    def stop(self) -> None:
        """End all workers; each gives back what it holds."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait until the workers have ended, at most so many seconds."""
        ...


def command(run: Path | None, scores: bool = False) -> list[str]:
    """The command that starts a worker of a run; with None it waits to be told the run on standard input."""
    where = "-" if run is None else str(run.resolve())
    return [sys.executable, "-m", "bench", "worker", where, *(["--scores"] if scores else [])]


def environment() -> dict[str, str]:
    """The environment for workers: this process's, with the project on PYTHONPATH."""
    found = dict(os.environ)
    if CHECKOUT:
        found["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CHECKOUT), found.get("PYTHONPATH", "")]))
    return found


def last_line(file: Path) -> str:
    """The last line of a worker's output that is not blank; empty without one."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


class Patience:
    """A limit on how often workers may end in a row while no unit is finished."""

    def __init__(self, restarts: int) -> None:
        self.restarts, self._ends, self._done = restarts, 0, -1

    def is_over(self, done: int) -> bool:
        """Count one more end; returns whether there were too many since the last finished unit."""
        if done > self._done:
            self._done, self._ends = done, 0
        self._ends += 1
        return self._ends > self.restarts
