"""The common part of launchers: start the workers, restart those that died, and stop or leave them at the end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Protocol

from bench.paths import CHECKOUT


class Crew(Protocol):
    """The workers that one launcher started."""

    def start(self) -> None:
        """Start all workers."""
        ...

    def tend(self, done: int) -> list[str]:
        """Start again what ended too early.

        Args:
            done: how many units are done; a worker that ends again and again while this stands still is given up.
        Returns:
            what a person should know, one line each.
        Raises:
            UserError: new workers are not to be had.
        """
        ...

    @property
    def is_over(self) -> bool:
        """Whether none of them is at work or waits for its turn."""
        ...

    @property
    def only_scores(self) -> bool:
        """Whether none of those that upscale is at work or waits for its turn."""
        ...

    def stop(self) -> None:
        """End all workers; each gives back what it holds."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait until the workers have ended, at most so long."""
        ...


def command(run: Path | None, scores: bool = False) -> list[str]:
    """The command of a worker of a run: what every launcher starts; None: a run that it is told of later."""
    where = "-" if run is None else str(run.resolve())
    return [sys.executable, "-m", "bench", "worker", where, *(["--scores"] if scores else [])]


def environment() -> dict[str, str]:
    """This process's environment, in which the workers find the project from any folder."""
    found = dict(os.environ)
    if CHECKOUT:
        found["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CHECKOUT), found.get("PYTHONPATH", "")]))
    return found


def last_line(file: Path) -> str:
    """The last line that a worker said."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


class Patience:
    """How often workers may end in a row while nothing is finished."""

    def __init__(self, restarts: int) -> None:
        self.restarts, self._ends, self._done = restarts, 0, -1

    def is_over(self, done: int) -> bool:
        """Count one more end; whether there were too many since the last finished unit."""
        if done > self._done:
            self._done, self._ends = done, 0
        self._ends += 1
        return self._ends > self.restarts
