"""A run: clip by clip, the methods take turns under the clock; frames are scored; each cell becomes a record.

One failure costs one cell. What the store has under the same key is not computed again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from bench.config import Combination
from bench.datasets.clip import Clip
from bench.environment import device_name, snapshot
from bench.report.notes import score_note
from bench.run.cell import Cell, Inputs, Machine, Totals
from bench.run.folder import RunFolder
from bench.run.lookup import look_up
from bench.run.plan import MethodOnData, open_plan
from bench.run.pool import MethodPool
from bench.run.progress import Reporter
from bench.run.recording import line_of, record_of, record_of_failure, save_frames
from bench.run.score import score
from bench.run.upscale import upscale
from bench.store.keys import frames_digest
from bench.store.store import Store
from frames.errors import one_line
from frames.prefetch import ahead


class Run:
    """Opens everything first, so that mistakes show before any work; calling it measures what is missing."""

    def __init__(self, combinations: list[Combination], command: str) -> None:
        root = combinations[0].config
        self.plans = open_plan(combinations)
        settings = dict.fromkeys((plan.config.device, plan.config.threads) for plan in self.plans)
        environments = {each: _environment(*each) for each in settings}
        self._machines = {each: _machine(found, each[1]) for each, found in environments.items()}
        self.folder = RunFolder(root.out)
        self.store = Store(root.store)
        richest = sorted(environments.values(), key=lambda found: found["gpu"] is None)[0]
        self.folder.describe(command, richest, combinations)

    def __call__(self) -> Totals:
        """Measure. Ctrl-C raises KeyboardInterrupt; the cells finished by then are on disk."""
        totals = Totals()
        with Reporter(sum(len(plan.clips) for plan in self.plans)) as reporter, self.store.in_use():
            pool = MethodPool(lambda method: reporter.working(f"loading {method}"))
            for group in self._groups():
                with _threads(group[0].config.threads):
                    for clip in group[0].clips:
                        self._clip(clip, group, pool, totals, reporter)
        return totals

    def _groups(self) -> list[list[MethodOnData]]:
        """Plans that take turns on a clip: those of one data set on one device with equally many threads; each alone
        with timing.interleave=false."""
        groups: dict[tuple, list[MethodOnData]] = {}
        for index, plan in enumerate(self.plans):
            key: tuple = (plan.data, plan.config.device, plan.config.threads)
            groups.setdefault(key if plan.config.timing.interleave else (*key, index), []).append(plan)
        return list(groups.values())

    def _clip(
        self, clip: Clip, group: list[MethodOnData], pool: MethodPool, totals: Totals, reporter: Reporter
    ) -> None:
        """All cells of one clip: look up, upscale, score, record."""
        pool.keep_only(group)
        cells = [self._cell(plan, clip, pool) for plan in group]
        reporter.working(f"reading {group[0].data}/{clip.name}")
        try:
            inputs = read_inputs(clip)
        except Exception as error:  # a broken frame costs this clip
            for cell in cells:
                self._failed(cell, error, totals, reporter)
            return
        for cell in cells:
            look_up(cell, inputs, self.store)
        missing = [cell for cell in cells if cell.error is None and cell.upscaled is None]
        totals.upscaled += upscale(missing, inputs, self.store, reporter.working)
        ready = [cell for cell in cells if cell.error is None]
        totals.scored += score(ready, inputs, self.store, reporter.working, reporter.advance)
        for cell in cells:
            try:
                if cell.error is not None:
                    raise cell.error
                self._finished(cell, totals, reporter)
            except Exception as error:
                self._failed(cell, error, totals, reporter)

    def _cell(self, plan: MethodOnData, clip: Clip, pool: MethodPool) -> Cell:
        method = pool.load(plan)
        machine = self._machines[plan.config.device, plan.config.threads]
        return Cell(plan, clip, machine, method.adapter, method.held_mb, error=method.error)

    def _finished(self, cell: Cell, totals: Totals, reporter: Reporter) -> None:
        save_frames(cell, self.folder.path)
        record = record_of(cell)
        self.folder.records.append(record)
        totals.good += 1
        reporter.finished(f"{cell.where}: {line_of(record)}")
        for name, found in record.scores.items():
            if note := score_note(name, found):
                reporter.note(f"{cell.where}: {note}")
        for finding in record.doctor or ():
            reporter.note(f"{cell.where}: the doctor says: {finding.text} ({finding.evidence})")

    def _failed(self, cell: Cell, error: Exception, totals: Totals, reporter: Reporter) -> None:
        reason = one_line(error)
        self.folder.records.append(record_of_failure(cell, reason))
        self.folder.log_error(cell.where, error)
        totals.failed += 1
        reporter.finished(f"{cell.where}: FAILED: {reason}")


def _environment(device: str, threads: int | None) -> dict:
    with _threads(threads):
        return snapshot(device)


def _machine(environment: dict, threads: int | None) -> Machine:
    kind = environment["gpu"]["name"] if environment["gpu"] else "cpu"
    return Machine(device_name(environment), f"{kind}, {threads} threads" if threads else kind)


def read_inputs(clip: Clip) -> Inputs:
    """Read a clip's LR frames, and its GT frames for their digest.

    Raises:
        ValueError, OSError: a frame cannot be read.
    """
    lr = list(clip.lr())
    return Inputs(lr, frames_digest(lr), frames_digest(ahead(clip.gt())) if clip.has_gt else None)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """So many CPU threads of torch during the block; None: as many as there are."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count:
            torch.set_num_threads(before)
