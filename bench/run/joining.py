"""`python -m bench worker RUN`: this process as a worker of a planned run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bench.config import expand
from bench.run import device
from bench.run.cell import Totals
from bench.run.folder import RunFolder
from bench.run.job import Job, Plan, jobs
from bench.run.leases import Leases, living
from bench.run.measurer import Machines, Measurer
from bench.run.plan import open_plan
from bench.run.progress import Reporter
from bench.run.runner import HARNESS, new_worker
from bench.run.units import SCORING, STEPS, Opened, Step, Unit, units_of
from bench.run.unscored import UnscoredCells
from bench.run.worker import Worker, heartbeat
from bench.store import moments
from bench.store.keys import source_digest
from bench.store.records import is_run
from bench.store.store import Store
from bench.store.workers import WorkerFacts, write_worker
from bench.timing.canary import canary
from frames.errors import UserError


@dataclass(frozen=True)
class Joined:
    """The result of a worker."""

    run: Path
    totals: Totals
    is_last: bool  # every unit of the run was done when it ended
    is_open: bool = False  # units are left, for workers of another kind


def join(run: Path, tables: Callable[[Path], None], scores: bool = False) -> Joined:
    """Work on the planned run in a folder until it is done.

    Args:
        tables: writes tables and plot of a folder; called by the last worker if no launcher waits for the end.
        scores: take only units of scoring, on the processor.
    Raises:
        UserError: no run is planned, the plan is not the user's own or does not fit this installation, or another
            worker is timed on this device.
        KeyboardInterrupt: Ctrl-C, or the run was stopped; units are given back.
    """
    newest = _newest(run.resolve())
    if newest is None:
        return Joined(run, Totals(), True)
    job, plan = newest
    if source_digest(HARNESS) != plan.code:
        raise UserError(f"{run}: planned by another version of this project; run its command again here")
    if not Path(plan.cwd).is_dir():
        raise UserError(
            f"{run}: the run was started in {plan.cwd}, which is not here; paths in its command begin there"
        )
    if job.is_stopped and not job.is_alive(plan.expiry_s):
        job.resume()
    if scores and not plan.split.scoring:
        raise UserError(f"{run}: scoring is not a unit of its own in this run; plan it with launch.scorers=N")
    os.chdir(plan.cwd)
    words = [word for word in plan.words if word.partition("=")[0] != "device"] + ["device=cpu"]
    combinations = expand(words if scores else plan.words, tuple(plan.config_dirs))
    opened = Opened(open_plan(combinations))
    _check(run, plan, opened)
    with ExitStack() as stack:
        used = sorted({each.config.device for each in opened.plans})
        needed = device.resources(used)
        if plan.timed and not plan.solo:
            stack.enter_context(device.held(needed))
            if used != ["cpu"]:  # no worker may score on the cores of a worker that times a GPU
                stack.enter_context(device.held(device.resources(["cpu"]), shared=True))
        kept = combinations[0].config.store
        machines = Machines(opened.plans, [job.run, *([Path(kept)] if kept else [])])
        own = new_worker(device.described(needed), scores)
        folder, store = RunFolder(str(job.run), own.name), Store(kept)
        if not (job.run / "environment.json").exists():
            folder.describe_environment("python -m bench worker", machines.environment)
        leases = Leases(job.leases, own, plan.expiry_s)
        stack.enter_context(heartbeat(job, leases, every_s=plan.expiry_s / 12))
        stack.enter_context(store.in_use())
        stack.enter_context(_known(job, plan, own.name, own.host, own.device, machines, [] if scores else used))
        reporter = stack.enter_context(Reporter(None))
        turn = device.turn if plan.solo else nullcontext
        measurer = Measurer(opened, machines, folder, store, reporter, own.name, turn, UnscoredCells(job, store))
        totals = Worker(job, plan, leases, measurer, steps=_steps(scores, used))()
        is_there, is_last = job.is_there, job.is_there and len(job.done()) == len(plan.units)
        if is_last and not any(each.is_launcher for each in living(job.leases, plan.expiry_s)):
            if leases.claim("tables"):  # by one of those that see the end; a launcher writes them itself
                tables(job.run)
    return Joined(job.run, totals, is_last, is_there and not is_last)


def _steps(scores: bool, devices: list[str]) -> tuple[Step, ...]:
    """The steps that a worker takes; one with a GPU leaves separate units of scoring to others."""
    if scores:
        return SCORING
    return STEPS if devices == ["cpu"] else ("all", "upscale")


def _newest(run: Path) -> tuple[Job, Plan] | None:
    """The newest job of a folder that has units left; None if all are done. UserError if there is none to join."""
    found = jobs(run)
    if not found and not is_run(run):
        raise UserError(f"{run}: no run is planned here; start one with python -m bench run ... out=DIR workers=0")
    alone = False
    for job in reversed(found):
        plan = job.plan()
        if len(job.done()) < len(plan.units):
            if plan.shared:
                return job, job.plan(trusted=True)
            alone = True
    if alone:
        raise UserError(f"{run}: a run of one worker is at work here; start it with workers=N to share it")
    return None


def units_left(run: Path) -> int:
    """Units that no worker has done yet, of all planned runs in a folder that workers may join."""
    left = 0
    for job in jobs(run):
        with suppress(UserError, OSError):  # a damaged plan, which nobody can join
            plan = job.plan()
            left += len(plan.units) - len(job.done()) if plan.shared else 0
    return left


def _check(run: Path, plan: Plan, opened: Opened) -> None:
    """Raise UserError unless the plan's units are those that this machine finds, as they are if the data agree."""

    def facts(units: Iterable[Unit]) -> list[tuple]:
        return [(unit.data, unit.clip, unit.step, unit.methods, unit.first, unit.frames) for unit in units]

    if facts(units_of(opened.plans, plan.split)) != facts(plan.units):
        raise UserError(f"{run}: the clips here are not those of the plan: its data sets are elsewhere or have changed")


@contextmanager
def _known(
    job: Job, plan: Plan, name: str, host: str, where: str, machines: Machines, devices: list[str]
) -> Iterator[None]:
    """Keep the worker's facts in the run's folder, in a timed run with canaries before and after the block."""
    began = moments.now()
    times = [_slowest(devices)] if plan.timed and devices else []
    facts = WorkerFacts(name=name, host=host, device=where, began=began, canary=times, environment=machines.environment)
    write_worker(job.run, facts)
    try:
        yield
    finally:
        ended = moments.now()
        last = [_slowest(devices)] if plan.timed and devices and sys.exc_info()[0] is None else []
        write_worker(job.run, replace(facts, ended=ended, canary=times + last))


def _slowest(devices: list[str]) -> float:
    return max(map(canary, devices))
