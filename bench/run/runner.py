"""A run of one worker in this process. (`bench.run.joining` has the workers of a run of many.)"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from bench.config import Combination
from bench.run.cell import Totals
from bench.run.folder import RunFolder
from bench.run.job import EXPIRY_S, Job, Plan, clean
from bench.run.leases import Leases, WorkerIdentity
from bench.run.measurer import Machines, Measurer
from bench.run.plan import open_plan
from bench.run.progress import Reporter
from bench.run.units import Opened, units_of
from bench.run.worker import Worker, heartbeat
from bench.store.keys import source_digest
from bench.store.owner import this_process, this_system
from bench.store.store import Store

HARNESS = "bench"


class Run:
    """A run of one worker; data sets and metrics are opened first, so that mistakes show before any work."""

    def __init__(self, combinations: list[Combination], command: str) -> None:
        root = combinations[0].config
        self.plans = open_plan(combinations)
        self._machines = Machines(self.plans, [Path(each) for each in (root.out, root.store) if each])
        self.folder = RunFolder(root.out)
        self.store = Store(root.store)
        self.folder.describe(command, combinations)
        self.folder.describe_environment(command, self._machines.environment)

    def __call__(self) -> Totals:
        """Measure what is missing. Ctrl-C raises KeyboardInterrupt; the cells finished by then are on disk."""
        opened = Opened(self.plans)
        plan = Plan(
            words=[],
            config_dirs=[],
            cwd=str(Path.cwd()),
            code=source_digest(HARNESS),
            units=units_of(self.plans),
            shared=False,
            timed=any(each.is_timed for each in self.plans),
        )
        with Reporter(sum(len(each.clips) for each in self.plans)) as reporter, self.store.in_use():
            measurer = Measurer(opened, self._machines, self.folder, self.store, reporter)
            with _alone(self.folder.path, plan) as (job, leases):
                return Worker(job, plan, leases, measurer, in_order=True)()


def new_worker(device: str = "", scores: bool = False) -> WorkerIdentity:
    """This process as a worker, under a name that no other has."""
    host, pid, began = this_process()
    name = f"{host[:40]}-{pid}-{uuid4().hex[:6]}"
    return WorkerIdentity(
        name=name, host=host, pid=pid, began=began, system=this_system(), device=device, scores=scores
    )


@contextmanager
def _alone(run: Path, plan: Plan) -> Iterator[tuple[Job, Leases]]:
    """A job for this process alone, removed at the end, since a resumed run plans anew."""
    clean(run)
    job = Job.new(run)
    leases = Leases(job.leases, new_worker(), EXPIRY_S)
    try:
        with heartbeat(job, leases, stoppable=False):
            job.write(plan)
            yield job, leases
    finally:
        job.remove()
