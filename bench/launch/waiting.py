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
from bench.launch.local import WorkerPlace, gpus, places, spawn
from frames.errors import UserError

if TYPE_CHECKING:
    from bench.launch.options import LaunchOptions


class Waiting:
    """A worker for each place that waits to be told of a run; the `with` block ends those that are never told."""

    def __init__(self, places: Sequence[WorkerPlace]) -> None:
        self._places = list(places)
        self._processes: list[tuple[WorkerPlace, subprocess.Popen]] = []

    def __enter__(self) -> Waiting:
        for place in self._places:
            words = command(None, place.scores)
            self._processes.append((place, spawn(words, place, subprocess.PIPE, subprocess.DEVNULL)))
        return self

    def __exit__(self, *exception) -> None:
        self.dismiss()

    def take(self, place: WorkerPlace, run: Path, output_file: Path) -> subprocess.Popen | None:
        """Tell the worker that waits at a place its run and the file for its output; None if none waits there."""
        for here in [each for each in self._processes if each[0] == place]:
            self._processes.remove(here)
            process = here[1]
            if _send_run(process, run, output_file):
                return process
        return None

    def dismiss(self) -> None:
        """End the workers that still wait."""
        for _, process in self._processes:
            process.kill()
        for _, process in self._processes:
            process.wait()
            _close(process)
        self._processes.clear()


def await_run() -> Path | None:
    """In a worker, wait for the run's folder on standard input; None if there is no run for it.

    Raises:
        UserError: the input is not from a launcher.
    """
    import bench.run.joining  # noqa: F401  takes seconds, while the launcher plans

    line = sys.stdin.readline() if sys.stdin is not None else ""
    if not line.endswith("\n"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    match found:
        case [str(run), str(output_file)]:
            pass
        case _:
            raise UserError("worker -: a launcher names the run on the standard input; give the run's folder")
    if output_file:
        number = os.open(output_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(number, 1)
        os.dup2(number, 2)
        os.close(number)
    return Path(run)


def places_ahead(launch: LaunchOptions, words: Sequence[str]) -> list[WorkerPlace]:
    """The places where workers can be started before the plan; a wrong guess costs only these processes.

    To know whether methods run on GPUs takes torch, whose import takes seconds. Here nvidia-smi and the words of the
    command decide.
    """
    if launch.engine != "local":
        return []
    given = [word.partition("=")[2] for word in words if word.partition("=")[0] == "device"]
    try:
        on_gpus = given[-1:] != ["cpu"] and shutil.which("nvidia-smi") is not None and bool(gpus())
        return places(launch.count, on_gpus, launch.scorers or 0)
    except UserError:  # reported when the run is planned
        return []


def _send_run(process: subprocess.Popen, run: Path, output_file: Path) -> bool:
    """Tell a waiting worker its run; returns whether it was still alive."""
    line = json.dumps([str(run.resolve()), str(output_file.resolve())]) + "\n"
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
    except BrokenPipeError:  # it ended before it read its input
        pass
