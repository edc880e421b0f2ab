"""Workers on this machine: one process for each GPU, by UUID, or for each share of the cores."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from bench.launch.crew import Patience, command, environment, last_line
from bench.run import device
from bench.run.job import Job
from frames.errors import EnvironmentInvalid, UserError
from frames.text import printable

if TYPE_CHECKING:
    from bench.launch.waiting import Waiting

OUTPUT_FOLDER = "said"


@dataclass
class WorkerPlace:
    """The cores and the GPU that one worker has for itself."""

    cores: list[int]
    gpu: str = ""  # its UUID
    scores: bool = False  # only, and upscales nothing

    def __str__(self) -> str:
        return device.described([*([self.gpu] if self.gpu else []), *(f"core {core}" for core in self.cores)])


class LocalCrew:
    """N processes, each in a session of its own: they outlive the launcher and its terminal.

    Args:
        waiting: workers that were started before the plan; those with a wanted place are used, the others ended.
    """

    def __init__(
        self, job: Job, places: Sequence[WorkerPlace], restarts: int = 3, waiting: Waiting | None = None
    ) -> None:
        self.job, self.places, self._waiting = job, list(places), waiting
        self.processes: list[subprocess.Popen | None] = [None] * len(self.places)
        self._patience = Patience(restarts)

    def start(self) -> None:
        for number in range(len(self.places)):
            self._start(number)
        if self._waiting is not None:
            self._waiting.dismiss()

    def tend(self, done: int) -> list[str]:
        messages = []
        for number, process in enumerate(self.processes):
            if process is None or (code := process.poll()) is None or self.job.is_stopped:
                continue
            self.processes[number] = None
            if code == 0:
                continue
            why = f"ended by signal {-code}" if code < 0 else f"ended with {code}: {self._last(number)}"
            if self._patience.is_over(done):
                messages.append(f"worker {number} ({self.places[number]}) {why}; not started again")
            else:
                messages.append(f"worker {number} ({self.places[number]}) {why}; started again")
                self._start(number)
        return messages

    @property
    def is_over(self) -> bool:
        return not any(self.processes)

    @property
    def only_scores(self) -> bool:
        return not any(process for place, process in zip(self.places, self.processes) if not place.scores)

    def stop(self) -> None:
        self.job.stop()
        for process in filter(None, self.processes):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        self.wait(20)
        for process in filter(None, self.processes):
            if process.poll() is None:
                process.kill()
                process.wait()

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        for process in filter(None, self.processes):
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))

    def output_file(self, number: int) -> Path:
        """The file with a worker's output."""
        return self.job.folder / OUTPUT_FOLDER / f"worker-{number}.txt"

    def _start(self, number: int) -> None:
        place, output_file = self.places[number], self.output_file(number)
        output_file.parent.mkdir(exist_ok=True)
        process = self._waiting.take(place, self.job.run, output_file) if self._waiting is not None else None
        if process is None:
            with open(output_file, "ab") as stream:
                process = spawn(command(self.job.run, place.scores), place, subprocess.DEVNULL, stream)
        self.processes[number] = process

    def _last(self, number: int) -> str:
        return printable(last_line(self.output_file(number))).removeprefix("bench: ")


def spawn(words: Sequence[str], place: WorkerPlace, stdin: int, output: IO[bytes] | int) -> subprocess.Popen:
    """Start a process on the cores and the GPU of a place, in a session of its own."""
    variables = environment()
    if place.gpu or place.scores:
        variables["CUDA_VISIBLE_DEVICES"] = place.gpu
    with _on(place.cores):
        return subprocess.Popen(words, env=variables, stdin=stdin, stdout=output, stderr=output, start_new_session=True)


def places(count: int, on_gpus: bool, scorers: int = 0) -> list[WorkerPlace]:
    """Divide this machine among `count` workers, and `scorers` more that only score.

    Raises:
        UserError: there are too few GPUs or cores.
    """
    cores, asked = device.cores(), f"workers={count}" + (f" launch.scorers={scorers}" if scorers else "")
    cards = gpus() if on_gpus else [""] * count
    if count > len(cards):
        raise UserError(f"{asked}: there are {len(cards)} GPUs here, and each worker needs its own")
    if count + scorers > len(cores) and (scorers or not on_gpus):
        raise UserError(f"{asked}: there are {len(cores)} cores here, and each worker needs its own")
    shares = [share or cores for share in _shares(cores, count + scorers)]
    return [WorkerPlace(share, card) for share, card in zip(shares, cards[:count])] + [
        WorkerPlace(share, scores=True) for share in shares[count:]
    ]


def gpus() -> list[str]:
    """The UUIDs of the GPUs that this process may use, without using one: a process on a card disturbs its times.

    Raises:
        EnvironmentInvalid: there is no nvidia-smi, or it finds no GPU.
        UserError: CUDA_VISIBLE_DEVICES has numbers, and CUDA orders unlike GPUs otherwise than nvidia-smi.
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        raise EnvironmentInvalid("workers=N on GPUs needs nvidia-smi, which tells their UUIDs; it is not here")
    cards = dict(_cards(tool))
    found = list(cards)
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return found
    picked = [name.strip() for name in chosen.split(",") if name.strip()]
    are_unlike = len(set(cards.values())) > 1 and os.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID"
    if are_unlike and any(name.isdecimal() for name in picked):
        raise UserError(
            f"CUDA_VISIBLE_DEVICES={chosen}: CUDA numbers unlike GPUs by speed, nvidia-smi by their slots; set "
            "CUDA_DEVICE_ORDER=PCI_BUS_ID for the numbers of nvidia-smi, or give UUIDs"
        )
    return [found[int(name)] if name.isdecimal() and int(name) < len(found) else name for name in picked]


@cache
def _cards(tool: str) -> tuple[tuple[str, str], ...]:
    """UUID and name of each GPU, as nvidia-smi prints them; run once, since it may take seconds."""
    done = subprocess.run([tool, "--query-gpu=uuid,name", "--format=csv,noheader"], capture_output=True, text=True)
    if done.returncode or not done.stdout.split():
        raise EnvironmentInvalid(f"nvidia-smi finds no GPU: {done.stdout.strip() or done.stderr.strip()}")
    return tuple((uuid, name) for uuid, _, name in (line.partition(", ") for line in done.stdout.splitlines() if line))


def _shares(cores: list[int], count: int) -> list[list[int]]:
    """Disjoint runs of neighbouring cores: 8 cores for 3 workers are 3, 2 and 3."""
    bounds = [round(index * len(cores) / count) for index in range(count + 1)]
    return [cores[low:high] for low, high in zip(bounds, bounds[1:])]


@contextmanager
def _on(cores: list[int]) -> Iterator[None]:
    """Restrict processes that are started in the block to these cores."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
