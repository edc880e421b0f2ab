"""Workers that start before there is a plan, so that their imports run while the launcher plans.

Such a worker, `python -m bench worker -`, reads the name of the planned run's folder from its standard input, and works
there as `python -m bench worker RUN` does. If its input ends without a name, it ends, too: its launcher found a
mistake, was interrupted, or was killed. So no worker is left over, and none knows of a run that has no plan yet.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.launch.crew import command
from bench.launch.local import Place, gpus, places, spawn
from frames.errors import UserError

if TYPE_CHECKING:
    from bench.launch.options import Asked


class Waiting:
    """One process a place, until it is told of a run; `with Waiting(places)` ends those that never are."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = list(places)
        self._processes: list[tuple[Place, subprocess.Popen]] = []

    def __enter__(self) -> Waiting:
        for place in self._places:
            words = command(None, place.scores)
            self._processes.append((place, spawn(words, place, subprocess.PIPE, subprocess.DEVNULL)))
        return self

    def __exit__(self, *exception) -> None:
        self.dismiss()

    def take(self, place: Place, run: Path, said: Path) -> subprocess.Popen | None:
        """Tell the worker that waits at a place of its run, and where to say what it does; None: none waits there."""
        for here in [each for each in self._processes if each[0] == place]:
            self._processes.remove(here)
            process = here[1]
            if _tell(process, run, said):
                return process
        return None

    def dismiss(self) -> None:
        """End those that still wait: they hold nothing."""
        for _, process in self._processes:
            process.kill()
        for _, process in self._processes:
            process.wait()
            _close(process)
        self._processes.clear()


def told() -> Path | None:
    """In the worker: wait for the run's folder on the standard input; None: there is no run for this worker.

    Raises:
        UserError: somebody else than a launcher wrote there.
    """
    import bench.run.joining  # noqa: F401  what takes seconds is done by then

    line = sys.stdin.readline() if sys.stdin is not None else ""
    if not line.endswith("\n"):
        return None
    try:
        run, said = json.loads(line)
    except ValueError as error:
        raise UserError("worker -: a launcher names the run on the standard input; give the run's folder") from error
    if said:
        number = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(number, 1)
        os.dup2(number, 2)
        os.close(number)
    return Path(run)


def places_ahead(asked: Asked, words: Sequence[str]) -> list[Place]:
    """Where workers can be started before anything is planned; a wrong guess costs those processes and nothing else.

    Whether methods run on GPUs is told by torch, which takes seconds to import. Here a driver's tool and the words do.
    """
    if asked.engine != "local":
        return []
    given = [word.partition("=")[2] for word in words if word.partition("=")[0] == "device"]
    try:
        on_gpus = given[-1:] != ["cpu"] and shutil.which("nvidia-smi") is not None and bool(gpus())
        return places(asked.count, on_gpus, asked.scorers or 0)
    except UserError:  # told when the run is planned, if it is still so
        return []


def _tell(process: subprocess.Popen, run: Path, said: Path) -> bool:
    """Whether the worker was there to be told."""
    line = json.dumps([str(run.resolve()), str(said.resolve())]) + "\n"
    try:
        assert process.stdin is not None
        process.stdin.write(line.encode())
        process.stdin.flush()
    except BrokenPipeError:
        process.wait()
        return False
    finally:
        _close(process)
    return True


def _close(process: subprocess.Popen) -> None:
    try:
        if process.stdin is not None:
            process.stdin.close()
    except BrokenPipeError:  # what it never read
        pass
