"""Kill random workers and launchers, and compare the end with an undisturbed run."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psutil

from bench.launch.shared import at_work
from bench.run.job import jobs
from bench.store.records import RecordFile, worker_files
from frames.errors import UserError
from studies import forked
from studies.crashes.job import Job

WORDS = ("method=bicubic,nearest", "data=sample", "data.frames=2", "metrics=[psnr,ssim]", "timing=none")
APART = ("launch.scorers=0", "launch.expected=16")
"""In every second run scoring is done in units of its own, in parts."""
WORKERS = 2
LAUNCHED = 8
"""One run in 8 has a launcher; in the others workers are forked, which begin sooner than new processes."""
LIMIT_S = 300.0


@dataclass
class Tally:
    """Counts, and a line for each fault."""

    kills: int = 0
    of_launchers: int = 0
    runs: int = 0
    failed_twice: int = 0  # cells given up after two workers died at them, as intended
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.of_launchers} of launchers) in {self.runs} runs, {self.failed_twice} cells "
            f"given up after two deaths: {len(self.wrong)} faults" + "".join(f"\n  {line}" for line in self.wrong)
        )


def killed(count: int, seed: int, out: Path | None = None, words: tuple[str, ...] = WORDS) -> Tally:
    """Kill workers and launchers `count` times; each run is resumed to its end and compared with an undisturbed one."""
    os.environ.update(OMP_NUM_THREADS="1", BENCH_KEY="of the study")
    root = Path(tempfile.mkdtemp(prefix="workers-", dir=out))
    forked.import_everything()
    reference = Job(root / "undisturbed", words)
    began = time.monotonic()
    if code := reference.to_the_end():
        raise RuntimeError(f"the undisturbed run ended with {code}; see {reference.folder / 'said.txt'}")
    length, tally = time.monotonic() - began, Tally()
    while tally.kills < count:
        rng = random.Random(f"{seed}/{tally.runs}")
        job = Job(root / f"run{tally.runs}", words)
        before, more = len(tally.wrong), APART if tally.runs // LAUNCHED % 2 != tally.runs % 2 else ()
        command = ("run", *words, *more, f"out={job.out}", f"store={job.store}")
        if tally.runs % LAUNCHED == 0:
            _launched(job, reference, rng, count, length, tally, (*command, f"workers={WORKERS}"))
        else:
            _forked(job, reference, rng, count, length, tally, (*command, "workers=0"))
        if len(tally.wrong) == before:
            shutil.rmtree(job.folder)
        print(tally, flush=True)
    return tally


def _launched(
    job: Job, reference: Job, rng: random.Random, count: int, length: float, tally: Tally, command: tuple[str, ...]
) -> None:
    """Run a launcher and its workers, kill one now and then, and let the same command continue until it is done."""
    tally.runs += 1
    launcher: int | None = job.start(*command)
    until = time.monotonic() + LIMIT_S
    code, left = None, rng.randrange(3, 9)
    while time.monotonic() < until:
        if launcher is not None and (code := forked.wait(launcher, rng.uniform(0.2, length / 2))) is not None:
            launcher = None
            if code == 0:
                break
        _check(job, tally)
        workers = _workers(job, launcher)
        if left and tally.kills < count and (workers or launcher is not None):
            left -= 1
            tally.kills += 1
            if launcher is not None and (not workers or rng.random() < 0.25):
                tally.of_launchers += 1
                os.kill(launcher, signal.SIGKILL)  # alone: its workers have sessions of their own
                forked.wait(launcher, 20)
                launcher = None
            else:
                rng.choice(workers).kill()
        if launcher is None:
            launcher = job.start(*command)  # the same command joins workers that are there
    else:
        tally.wrong.append(f"{job.folder}: no end in {LIMIT_S:g} s")
    _ended(job, reference, tally)


def _forked(
    job: Job, reference: Job, rng: random.Random, count: int, length: float, tally: Tally, command: tuple[str, ...]
) -> None:
    """Run workers without a launcher, which begin at once, and replace each that is killed by another."""
    tally.runs += 1
    if code := job.to_the_end(*command):
        tally.wrong.append(f"{job.folder}: the plan ended with {code}")
        return
    crew = [job.start("worker", job.out) for _ in range(WORKERS)]
    until, left = time.monotonic() + LIMIT_S, rng.randrange(4, 10)
    while crew and time.monotonic() < until:
        victim = rng.choice(crew)
        if forked.wait(victim, rng.uniform(0, length / WORKERS)) is not None:
            crew.remove(victim)
            continue
        if left and tally.kills < count:
            left -= 1
            tally.kills += 1
            forked.kill(victim)
            forked.wait(victim, 20)
            crew.remove(victim)
            crew.append(job.start("worker", job.out))
            _check(job, tally)
    for child in crew:
        tally.wrong.append(f"{job.folder}: no end in {LIMIT_S:g} s")
        forked.kill(child)
    _ended(job, reference, tally)


def _ended(job: Job, reference: Job, tally: Tally) -> None:
    """Check a finished run: every cell is there, with the results of the undisturbed run."""
    again, expected = job.quality(), reference.quality()
    given_up = expected.keys() - again.keys()
    if given_up:  # two deaths at a clip: the same command tries it again
        tally.failed_twice += len(given_up)
        if code := job.to_the_end():  # a run of one worker
            tally.wrong.append(f"{job.folder}: the command that should mend it ended with {code}")
        again = job.quality()
    if again != expected:
        tally.wrong.append(f"{job.folder}: unlike the undisturbed run")


def _check(job: Job, tally: Tally) -> None:
    """Check that no cell has two good records within one plan."""
    run = job.folder / job.out
    plans = jobs(run)
    if not plans:
        return
    first = time.mktime(time.strptime(plans[-1].folder.name[:19], "%Y-%m-%d_%H-%M-%S"))
    cells: Counter[tuple[str, str, str]] = Counter()
    for file in worker_files(run):
        with suppress(UserError, OSError):
            began = _began(file)
            cells.update(record.cell for record in RecordFile(file).read() if record.ok and began >= first)
    for cell in [cell for cell, count in cells.items() if count > 1]:
        line = f"{job.folder}: {cell} was recorded twice in one plan"
        if line not in tally.wrong:
            tally.wrong.append(line)


def _began(file: Path) -> float:
    """Time at which the worker of a file of records began, from its facts, in seconds since the epoch."""
    facts = json.loads((file.parent.parent / "workers" / f"{file.stem}.json").read_text())
    return datetime.fromisoformat(facts["began"]).timestamp()


def _workers(job: Job, launcher: int | None) -> list[psutil.Process]:
    """Find the worker processes of a run: the launcher's, which may not have a plan yet, and those without one."""
    found = []
    for process in psutil.process_iter(["cmdline", "ppid"]):
        words = process.info["cmdline"] or []
        names_it = str((job.folder / job.out).resolve()) in words or process.info["ppid"] == launcher
        if "worker" in words and names_it:
            found.append(process)
    there = {process.pid for process in found}
    for each in jobs(job.folder / job.out):  # those whose launcher is dead
        for worker in at_work(each, 60):
            if worker.pid not in there:
                with suppress(psutil.NoSuchProcess):
                    found.append(psutil.Process(worker.pid))
    return found
