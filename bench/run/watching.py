"""The state of a running run, read from its files; nothing in them is executed, and nothing stays written."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from pathlib import Path

from bench.run import leases
from bench.run.job import FinishedUnit, Job, Plan, jobs
from bench.run.units import PARTS, Unit
from frames.errors import UserError

RECENT_S = 600.0
"""Clips a minute and the time left are estimated from the units finished in the last so many seconds."""


@dataclass(frozen=True)
class AtWork:
    """A worker of a run, with its machine and its unit."""

    name: str
    host: str
    device: str
    scores: bool
    unit: str  # empty between two units
    attempt: int
    silent_s: float  # since its last heartbeat
    is_alive: bool


@dataclass(frozen=True)
class State:
    """The progress of a run."""

    folder: Path
    done: int
    total: int
    good: int
    failed: int
    to_score: int  # cells that are upscaled and wait for their scores
    workers: list[AtWork]
    failures: list[str] = field(default_factory=list)
    clips_per_minute: float | None = None  # None: nothing was finished lately
    left_s: float | None = None


class Watched:
    """The state of the newest run in a folder; each call reads what its workers wrote since the last."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._known: tuple[Job, Plan] | None = None

    def __call__(self) -> State | None:
        """The state now; None where no run is at work or unfinished.

        Raises:
            UserError: there is no such folder.
        """
        if not self._run.is_dir():
            raise UserError(f"{self._run}: no such folder")
        for job in reversed(jobs(self._run)):
            with suppress(FileNotFoundError):
                if self._known is None or self._known[0].folder != job.folder:
                    self._known = job, job.plan()
                return _state(*self._known)
        return None


def _state(job: Job, plan: Plan) -> State:
    done = job.done()
    cost = {unit.number: _weight(unit) for unit in plan.units}
    recent = [unit for unit, each in done.items() if _age_s(each.ended) < RECENT_S and unit in cost]
    oldest = max((_age_s(done[unit].ended) + done[unit].seconds for unit in recent), default=0.0)
    clips = _clips(plan, set(recent))
    is_known = bool(recent) and 0 < oldest < inf
    finished = sum(cost[unit] for unit in recent)
    left = sum(cost.values()) - sum(cost[unit] for unit in done if unit in cost)
    return State(
        folder=job.run,
        done=len(done),
        total=len(plan.units),
        good=sum(each.good for each in done.values()),
        failed=sum(each.failed for each in done.values()),
        to_score=_to_score(plan, done),
        workers=_workers(job, plan),
        failures=[line for each in done.values() for line in each.lines if ": FAILED: " in line],
        clips_per_minute=60 * clips / oldest if is_known and clips else None,
        left_s=oldest * left / finished if is_known and 0 < finished < inf and 0 <= left < inf else None,
    )


def _clips(plan: Plan, done: set[int]) -> float:
    """The number of clips that these units finished: of a clip with three methods each counts as a third.

    Units that leave their clip to be scored finish none.
    """
    last = [unit for unit in plan.units if unit.methods and unit.step not in ("upscale", *PARTS)]
    methods = Counter((unit.data, unit.clip) for unit in last for _ in unit.methods)
    return sum(len(unit.methods) / methods[unit.data, unit.clip] for unit in last if unit.number in done)


def _to_score(plan: Plan, done: dict[int, FinishedUnit]) -> int:
    left = {before for unit in plan.units if unit.number not in done for before in unit.after}
    return sum(len(done[number].halves) for number in left if number in done)


def _weight(unit: Unit) -> float:
    return unit.cost_s if unit.cost_s is not None else float(unit.pixels * len(unit.methods) or 1)


def _workers(job: Job, plan: Plan) -> list[AtWork]:
    """All workers of the run that are alive, or that died at a unit."""
    units = {str(unit.number): unit for unit in plan.units}
    held: dict[str, tuple[str, int]] = {}
    for number, attempt in leases.taken(job.leases).items():
        if number in units and (worker := leases.read_worker(job.leases / f"{number}.{attempt}")):
            held[worker.name] = units[number].where, attempt
    found, now = [], leases.time_of(job.leases)
    for worker, file in leases.known(leases.workers(job.leases).values()):
        if not worker.is_launcher:
            where, attempt = held.get(worker.name, ("", 0))
            living = leases.alive(worker, file, plan.expiry_s, now)
            if living or where:
                facts = (worker.name, worker.host, worker.device, worker.scores)
                found.append(AtWork(*facts, where, attempt, _silence_s(file, now), living))
    return sorted(found, key=lambda each: (each.host, each.device, each.name))


def _silence_s(file: Path, now: float) -> float:
    try:
        return max(0.0, now - file.stat().st_mtime)
    except OSError:
        return 0.0


def _age_s(moment: str) -> float:
    try:
        return max(0.0, time.time() - datetime.fromisoformat(moment).timestamp())
    except (ValueError, OverflowError, OSError):
        return float("inf")


def duration(seconds: float) -> str:
    """A duration as text: 45 s, 12 min, 3.5 h, 2.1 days."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"
