"""A worker: takes the next unit of a run, works on it and records it, until all are done. A run has one or many."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import Protocol

from bench.run.cell import Totals
from bench.run.job import HEARTBEAT_S, FinishedUnit, Job, Plan
from bench.run.leases import MOST_DEATHS, Lease, Leases
from bench.run.measurer import Outcome
from bench.run.units import PARTS, STEPS, Step, Unit, longest_first
from bench.store.moments import now
from bench.store.records import RecordFile, worker_file

MOST_PASSED = 64
"""Number of units done by others that a worker passes over before it drops them from its list."""
_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
IDLE_S, IDLE_SHARE = (0.1, 1.0), 0.1
"""The pause of a worker without work before it looks again whether others have died, have upscaled what it may score,
or are done: bounds in seconds, and its share of the time waited so far."""


class Measures(Protocol):
    """The part of `bench.run.measurer.Measurer` that a worker uses."""

    def measure(self, unit: Unit, may_record: Callable[[], bool]) -> Outcome | None: ...

    def give_up(self, unit: Unit, reason: str) -> Outcome: ...

    def check_device(self, unit: Unit) -> None: ...


class Worker:
    """Takes units of one job until none is left.

    Args:
        in_order: take units as planned (a run of one worker); otherwise the longest first.
        steps: steps of the units that it takes; units of other steps are left to other workers.
    """

    def __init__(
        self,
        job: Job,
        plan: Plan,
        leases: Leases,
        measurer: Measures,
        in_order: bool = False,
        steps: Sequence[Step] = STEPS,
    ) -> None:
        self.job, self.plan, self.leases, self.measurer, self.in_order = job, plan, leases, measurer, in_order
        self.name = leases.worker.name
        self.totals = Totals()
        self._methods: list[str] = []  # that the last unit had: they are in memory
        own = [unit for unit in plan.units if unit.step in steps]
        self._left = own if in_order else longest_first(own, plan=plan.units)  # in the order in which they are taken

    def __call__(self) -> Totals:
        """Work until every unit is done, by this worker or by others; or until the job is stopped or closed.

        Raises:
            KeyboardInterrupt: Ctrl-C, or a stop; the unit is given back.
            EnvironmentInvalid: the GPU serves this process no more; what was measured is recorded.
        """
        while (claimed := self._next()) is not None:
            unit, lease = claimed
            began = time.monotonic()
            with ExitStack() as recording:  # entered before the first record
                outcome = self._work(unit, lease, recording)
                if outcome is not None and self.job.is_there:
                    self._log(unit, outcome, time.monotonic() - began)
                self.leases.release(lease)
            self.measurer.check_device(unit)
            if not self.in_order and not unit.scores and unit.methods != self._methods:
                self._methods, self._left = unit.methods, longest_first(self._left, unit.methods, self.plan.units)
        return self.totals

    def _next(self) -> tuple[Unit, Lease] | None:
        """Claim a unit; waits while others hold all that are left. None when all are done."""
        began = time.monotonic()
        while self.job.is_there:
            if self.job.is_stopped:
                raise KeyboardInterrupt
            done, taken = self.job.done(), self.leases.taken()
            for index, unit in enumerate(self._left):
                if unit.number in done or str(unit.number) in taken or not done.keys() >= set(unit.after):
                    continue
                if claimed := self._claim(unit, 0):
                    if index > MOST_PASSED:
                        self._left = [unit for unit in self._left if unit.number not in done]
                    return claimed
            self._left = [unit for unit in self._left if unit.number not in done]
            if not self._left:
                return None
            for unit in self._left:
                if (attempt := taken.get(str(unit.number))) and (claimed := self._claim(unit, attempt)):
                    return claimed
            least, most = IDLE_S
            time.sleep(min(max(least, IDLE_SHARE * (time.monotonic() - began)), most) * random.uniform(0.5, 1.0))
        return None

    def _claim(self, unit: Unit, attempt: int) -> tuple[Unit, Lease] | None:
        """Claim a unit that is free (attempt 0), or whose worker at this attempt died; None if it is neither."""
        name = str(unit.number)
        lease = self.leases.reclaim(name, attempt) if attempt else self.leases.claim(name)
        if lease is not None and unit.number in self.job.done():  # finished and given back while we looked
            self.leases.release(lease)
            return None
        return None if lease is None else (unit, lease)

    def _work(self, unit: Unit, lease: Lease, recording: ExitStack) -> Outcome | None:
        """Measure a unit, except the cells that a dead worker had recorded before."""

        def may_record() -> bool:
            recording.enter_context(uninterrupted())
            return self.leases.holds(lease) and self.job.is_there

        dead = self.leases.dead_at(lease)
        recorded = {cell: ok for worker in dead for cell, ok in self._recorded(worker.name, unit).items()}
        cells = {method: recorded.get((unit.data, unit.clip, method)) for method in unit.methods}
        known = {method: ok for method, ok in cells.items() if ok is not None}
        rest = replace(unit, methods=[method for method in unit.methods if method not in known])
        outcome: Outcome | None = Outcome()
        if rest.methods and lease.attempt > MOST_DEATHS:
            who = ", ".join(f"{worker.host} (process {worker.pid})" for worker in dead)
            outcome = self.measurer.give_up(rest, f"{len(dead)} workers died at this clip: {who}")
        elif rest.methods:
            outcome = self.measurer.measure(rest, may_record)
        if outcome is not None:
            outcome.totals.good += sum(known.values())
            outcome.totals.failed += len(known) - sum(known.values())
            outcome.notes += [f"{unit.data}/{unit.clip} {method}: recorded before its worker died" for method in known]
        return outcome

    def _recorded(self, worker: str, unit: Unit) -> dict[tuple[str, str, str], bool]:
        """The cells that a worker recorded of a unit, and whether each is good; parts of the scoring record nothing."""
        records = RecordFile(worker_file(self.job.run, worker)).read() if unit.step not in PARTS else []
        upscaled_before = set(unit.after)  # what failed there is recorded there
        return {each.cell: each.ok for each in records if each.ok or each.unit not in upscaled_before}

    def _log(self, unit: Unit, outcome: Outcome, seconds: float) -> None:
        found, own = outcome.totals, self.totals
        done = FinishedUnit(
            unit=unit.number,
            worker=self.name,
            seconds=round(seconds, 3),
            good=found.good,
            failed=found.failed,
            upscaled=found.upscaled,
            scored=found.scored,
            lines=outcome.lines,
            notes=outcome.notes,
            halves=outcome.unscored,
            gt=outcome.gt,
            given_up=outcome.given_up,
            ended=now(),
        )
        self.job.append(done)
        own.good, own.failed = own.good + found.good, own.failed + found.failed
        own.upscaled, own.scored = own.upscaled + found.upscaled, own.scored + found.scored


@contextmanager
def heartbeat(job: Job, leases: Leases, every_s: float = HEARTBEAT_S, stoppable: bool = True) -> Iterator[None]:
    """Renew this worker's heartbeat during the block, and raise an exception in it when the run is stopped.

    Every second it checks for a stop, and does nothing else, so that timed work is not disturbed.

    Raises:
        KeyboardInterrupt: the run was stopped, and the block is in the main thread.
    """
    ended = threading.Event()
    with _stop_signal() if stoppable else nullcontext() as stop:

        def beat() -> None:
            stopped, last = False, time.monotonic()
            while not ended.wait(min(1.0, every_s)):
                if stop is not None and not stopped and job.is_stopped:
                    stopped = True
                    signal.pthread_kill(threading.main_thread().ident or 0, stop)
                if time.monotonic() - last >= every_s:
                    leases.beat()
                    last = time.monotonic()

        leases.open()
        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            leases.close()


@contextmanager
def _stop_signal() -> Iterator[signal.Signals | None]:
    """A signal of this process that raises KeyboardInterrupt in the main thread; None if there is none.

    Not SIGINT, which processes ignore that a shell has started with `&`.
    """
    number = getattr(signal, "SIGUSR1", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        yield None
        return
    before = signal.signal(number, signal.default_int_handler)
    try:
        yield number
    finally:
        signal.signal(number, before)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay signals that end a worker until the block is over, so that recorded units are logged as done, too.

    Raises:
        KeyboardInterrupt: at the end of the block, if one came.
    """
    came: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in filter(None, (getattr(signal, name, None) for name in _ENDING)):
            if callable(signal.getsignal(number)):
                before[number] = signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
