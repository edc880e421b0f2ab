"""The cost of claiming, logging and giving back a unit, with many processes in one folder."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.run.cell import Totals
from bench.run.job import Job, Plan
from bench.run.leases import Leases
from bench.run.measurer import Outcome
from bench.run.runner import new_worker
from bench.run.units import Unit
from bench.run.worker import Worker
from studies import forked

SLEEP_S = 0.001


@dataclass(frozen=True)
class LeaseCosts:
    """Costs of leases in one trial. `overhead_ms`: wall clock that a worker spends on a unit besides its sleep."""

    units: int
    workers: int
    seconds: float
    overhead_ms: float
    cpu_ms: float  # of the processor, a unit
    most_names: int  # in the folder of leases at once

    def __str__(self) -> str:
        return (
            f"{self.units} units by {self.workers} workers in {self.seconds:.2f} s: {self.overhead_ms:.2f} ms a unit "
            f"beside the sleep of {1e3 * SLEEP_S:g} ms, {self.cpu_ms:.2f} ms of the processor a unit; "
            f"at most {self.most_names} names in the folder of leases"
        )


class _Sleeper:
    """A measurer that sleeps, and adds up the time that it took: on a busy machine longer than asked for."""

    slept_s = 0.0

    def measure(self, unit: Unit, may_record: Callable[[], bool]) -> Outcome | None:
        began = time.perf_counter()
        time.sleep(SLEEP_S)
        self.slept_s += time.perf_counter() - began
        return Outcome(Totals(good=1), [f"{unit.where}: slept"]) if may_record() else None

    def give_up(self, unit: Unit, reason: str) -> Outcome:
        raise RuntimeError(reason)

    def check_device(self, unit: Unit) -> None:
        """Sleeping needs no GPU."""


def measured(units: int, workers: int, out: Path | None = None) -> LeaseCosts:
    """Fork the workers, let them do all units, and measure the costs."""
    os.environ.setdefault("BENCH_KEY", "of the study")
    run = Path(tempfile.mkdtemp(prefix="leases-", dir=out))
    job = Job.new(run)
    plan = Plan(
        words=[],
        config_dirs=[],
        cwd=str(run),
        code="",
        units=[Unit(n, "set", f"clip{n}", ["sleep"], 1, 1 + n % 97) for n in range(units)],
        shared=True,
        timed=False,
    )
    job.write(plan)
    before, began = os.times(), time.perf_counter()
    children = [_fork(job, plan) for _ in range(workers)]
    names = 0
    while children := [child for child in children if forked.wait(child, 0) is None]:
        names = max(names, len(os.listdir(job.leases)))
        time.sleep(0.05)
    seconds, after = time.perf_counter() - began, os.times()
    done = job.done()
    if sorted(done) != list(range(units)):
        raise RuntimeError(f"{len(done)} of {units} units are done")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return LeaseCosts(units, workers, seconds, 1e3 * (seconds * workers / units - SLEEP_S), 1e3 * cpu / units, names)


def _fork(job: Job, plan: Plan) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        own = Job(job.folder)
        leases = Leases(own.leases, new_worker(), plan.expiry_s)
        leases.open()
        sleeper, began = _Sleeper(), time.perf_counter()
        Worker(own, plan, leases, sleeper)()
        beside = time.perf_counter() - began - sleeper.slept_s
        (job.run / f"beside-{os.getpid()}").write_text(repr(beside))
        leases.close()
        code = 0
    finally:
        os._exit(code)
