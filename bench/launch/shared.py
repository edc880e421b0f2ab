"""The launcher's side of a run of many workers: plan, start, follow, end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.config import Combination
from bench.launch.crew import Crew
from bench.launch.options import LaunchOptions
from bench.run import leases
from bench.run.cell import Totals
from bench.run.estimate import estimated
from bench.run.folder import RunFolder
from bench.run.job import Job, Plan, clean, jobs
from bench.run.plan import MethodOnData, open_plan
from bench.run.progress import Reporter
from bench.run.runner import HARNESS, new_worker
from bench.run.units import Opened, split_for, units_of
from bench.run.worker import heartbeat
from bench.store.keys import source_digest
from bench.store.store import Store
from frames.errors import UserError

POLL_S = 0.25
"""Seconds between a launcher's looks for finished units."""
COUNT_S = 2.0
"""Seconds between its counts of the workers, which read a file for each."""


class SharedRun:
    """A run of many workers; data sets and metrics are opened first, so that mistakes show before any work.

    Args:
        words: the command's KEY=VALUE, without the launch options.
    """

    def __init__(
        self,
        combinations: list[Combination],
        command: str,
        words: list[str],
        config_dirs: tuple[str, ...],
        launch: LaunchOptions,
    ) -> None:
        root = combinations[0].config
        if launch.engine != "none":
            _check_devices({combination.config.device for combination in combinations})
        # It scores nothing, and on a GPU its networks would be another process beside a worker's times.
        self.plans: list[MethodOnData] = open_plan(combinations, networks_on="cpu")
        self.folder, self.store = RunFolder(root.out), Store(root.store)
        self.launch = launch
        self.words = [word for word in words if word.partition("=")[0] != "out"]
        self.config_dirs = [str(Path(each).resolve()) for each in config_dirs]
        if launch.scorers is not None and len({plan.config.device for plan in self.plans}) > 1:
            raise UserError("launch.scorers needs one device for all methods: units of scoring are of all of a clip's")
        self.folder.describe(command, combinations)

    @property
    def is_on_gpus(self) -> bool:
        """Whether some method runs on a GPU."""
        return any(plan.config.device.startswith("cuda") for plan in self.plans)

    @property
    def needs_whole_nodes(self) -> bool:
        """Whether times depend on something that jobs on one node share: the processor, or files."""
        return any(
            plan.is_timed and (plan.config.device == "cpu" or "files" in plan.config.timing.scopes)
            for plan in self.plans
        )

    def plan(self) -> tuple[Job, Plan]:
        """The job of this command: one that workers are at already, or a new one, written for the workers."""
        for job in reversed(jobs(self.folder.path)):
            plan = job.plan()
            if plan.shared and plan.words == self.words and at_work(job, plan.expiry_s) and not job.is_stopped:
                return job, plan
        clean(self.folder.path, self.words)
        split = split_for(self.plans, self.launch.total, self.launch.scorers is not None)
        plan = Plan(
            words=self.words,
            config_dirs=self.config_dirs,
            cwd=str(Path.cwd()),
            code=source_digest(HARNESS),
            units=estimated(units_of(self.plans, split), Opened(self.plans), self.store),
            split=split,
            shared=True,
            timed=any(each.is_timed for each in self.plans),
            solo=any(each.is_timed and each.config.timing.solo for each in self.plans),
            expiry_s=self.launch.expiry_s,
        )
        job = Job.new(self.folder.path)
        job.write(plan)
        return job, plan


def _check_devices(devices: set[str]) -> None:
    """Raise UserError for a GPU by a number that it does not have for a worker, which sees no other."""
    for device in sorted(devices - {"cpu", "cuda", "cuda:0"}):
        raise UserError(
            f"device={device}: with workers=N each worker sees one GPU, its number 0; write device=cuda, and choose "
            "the GPUs by CUDA_VISIBLE_DEVICES"
        )


def at_work(job: Job, expiry_s: float) -> list[leases.WorkerIdentity]:
    """The workers of a job that are at work now, whoever started them."""
    return [worker for worker in leases.living(job.leases, expiry_s) if not worker.is_launcher]


def follow(job: Job, plan: Plan, crew: Crew, tables: Callable[[], None]) -> Totals:
    """Start the workers, report what they finish, and return when every unit is done and they have ended.

    Args:
        tables: writes tables and plot while the workers end; for a timed run after that, when the last canary is in.
    Raises:
        UserError: no worker is left that can do the rest.
        KeyboardInterrupt: Ctrl-C, or the run was stopped; the workers are left as they are.
    """
    own = new_worker()
    own = replace(own, name=leases.LAUNCHER + own.name)
    with heartbeat(job, leases.Leases(job.leases, own, plan.expiry_s), stoppable=False):
        with Reporter(sum(len(unit.methods) for unit in plan.units if not unit.scores)) as reporter:
            reporter.working("starting the workers")
            crew.start()
            _follow(job, plan, crew, reporter)
        if plan.timed:
            crew.wait(60)
        tables()
        crew.wait(60)
    return totals_of(job)


def _follow(job: Job, plan: Plan, crew: Crew, reporter: Reporter) -> None:
    """Report finished units until all are finished; restarts workers meanwhile."""
    reported: set[int] = set()
    news: list[str] = []
    counted = time.monotonic()
    while len(reported) < len(plan.units):
        done = job.done()
        for number in [number for number in done if number not in reported]:
            reported.add(number)
            for line in done[number].lines:
                reporter.finished(line)
            for line in done[number].notes:
                reporter.note(line)
        if time.monotonic() - counted >= COUNT_S:
            reporter.working(f"{len(at_work(job, plan.expiry_s))} workers")
            counted = time.monotonic()
        if len(reported) == len(plan.units):
            return
        if job.is_stopped:
            raise KeyboardInterrupt
        for line in crew.tend(len(done)):
            news.append(line)
            reporter.note(line)
        if _is_deserted(job, plan, crew):
            why, left = news[-1] if news else "all workers have ended", len(plan.units) - len(done)
            if all(unit.scores for unit in plan.units if unit.number not in done):
                why += f"; what is left is scoring (python -m bench worker {job.run} --scores)"
            if not crew.is_over:  # workers that score wait for frames that nobody makes
                crew.stop()
                job.resume()
            raise UserError(f"{why}; nobody is left, and {left} units are. The same command takes them up")
        time.sleep(POLL_S)


def _is_deserted(job: Job, plan: Plan, crew: Crew) -> bool:
    """Whether no worker can do the units that are left, such as upscaling where only workers that score are left."""
    if not crew.only_scores:
        return False
    there, done = at_work(job, plan.expiry_s), job.done()  # in this order: who has ended has logged what it did
    left = [unit for unit in plan.units if unit.number not in done]
    if any(not unit.scores for unit in left):
        return all(worker.scores for worker in there)
    return bool(left) and crew.is_over and not there


def totals_of(job: Job) -> Totals:
    """The totals of all workers."""
    found = job.done().values()
    return Totals(
        sum(each.good for each in found),
        sum(each.failed for each in found),
        sum(each.upscaled for each in found),
        sum(each.scored for each in found),
    )
