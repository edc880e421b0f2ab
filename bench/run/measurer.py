"""One unit of work from its clip to its records: look up, upscale, score, record.

A failure affects only its cell. Results that the store has under the same key are not computed again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from bench.datasets.clip import Clip
from bench.environment import device_name, snapshot
from bench.methods.settings import restored
from bench.report.notes import score_note
from bench.run.cell import Cell, Inputs, Machine, Totals
from bench.run.device import check_serves
from bench.run.estimate import keep_cost
from bench.run.folder import RunFolder
from bench.run.lookup import look_up
from bench.run.plan import MethodOnData
from bench.run.pool import MethodPool
from bench.run.progress import Reporter
from bench.run.recording import completed, line_of, record_of, record_of_failure, save_frames, unscored_record
from bench.run.score import score
from bench.run.score_apart import ScoreApart
from bench.run.units import PARTS, Opened, Unit
from bench.run.unscored import UnscoredCells
from bench.run.upscale import upscale
from bench.store.keys import frames_digest
from bench.store.record import Record
from bench.store.store import Store
from bench.timing.memory import forget_traceback
from frames.errors import UserError, one_line
from frames.prefetch import ahead


class Machines:
    """This machine's name and kind under each setting of the plans, found before anything is timed.

    Args:
        outputs: folders that the run writes (see `bench.environment.snapshot`).
    """

    def __init__(self, plans: Iterable[MethodOnData], outputs: Sequence[Path] = ()) -> None:
        settings = dict.fromkeys((plan.config.device, plan.config.threads) for plan in plans)
        environments = {each: _environment(*each, outputs) for each in settings}
        self._machines = {each: _machine(found, each[1]) for each, found in environments.items()}
        self.environment = sorted(environments.values(), key=lambda found: found["gpu"] is None)[0]  # the richest

    def of(self, plan: MethodOnData) -> Machine:
        return self._machines[plan.config.device, plan.config.threads]


@dataclass
class Outcome:
    """The result of a unit: totals, and lines for the user."""

    totals: Totals = field(default_factory=Totals)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unscored: list[dict[str, Any]] = field(default_factory=list)  # records of cells that wait for their scores
    gt: str | None = None  # the digest of GT of such cells
    given_up: dict[str, str] = field(default_factory=dict)  # methods that a part of the scoring gave up, and why


class Measurer:
    """Measures units; methods stay in memory from unit to unit.

    Args:
        worker: the name that records carry; empty in a run of one worker.
        turn: entered around the timed part of a unit, and around separate units of scoring.
        unscored_cells: takes what is left for units of scoring, in a run of many workers.
    """

    def __init__(
        self,
        opened: Opened,
        machines: Machines,
        folder: RunFolder,
        store: Store,
        reporter: Reporter,
        worker: str = "",
        turn: Callable[[], AbstractContextManager] = nullcontext,
        unscored_cells: UnscoredCells | None = None,
    ) -> None:
        self.opened, self.machines, self.folder, self.store, self.reporter = opened, machines, folder, store, reporter
        self.worker, self._turn, self._unscored_cells = worker, turn, unscored_cells
        self._apart = ScoreApart(unscored_cells, store, reporter) if unscored_cells is not None else None
        self._pool = MethodPool(lambda method: reporter.working(f"loading {method}"))

    def measure(self, unit: Unit, may_record: Callable[[], bool] = lambda: True) -> Outcome | None:
        """Measure and record all cells of one unit.

        Args:
            may_record: called before the records are written; False leaves them unwritten.
        Returns:
            The result; None if the records may not be written.
        """
        group, clip, outcome = self.opened.group(unit), self.opened.clip(unit), Outcome()
        with _threads(group[0].config.threads):
            waiting = self._waiting(unit)
            if unit.scores:
                cells = self._scored(unit, [plan for plan in group if plan.method in waiting], waiting, outcome)
            else:
                cells = self._measured(clip, group, unit, outcome)
            if not may_record():
                return None
            for cell in cells:
                try:
                    if cell.error is not None:
                        raise cell.error
                    if unit.step != "upscale":
                        self._finished(cell, unit, outcome, waiting.get(cell.plan.method))
                except Exception as error:
                    self._failed(cell, unit, error, outcome)
            if unit.joins and self._unscored_cells is not None:
                self._unscored_cells.drop_clip(unit)
        return outcome

    def give_up(self, unit: Unit, reason: str) -> Outcome:
        """Record every cell of a unit as failed; those of a part are left to the last unit of their clip."""
        if unit.step in PARTS:
            return Outcome(given_up=dict.fromkeys(unit.methods, reason))
        clip, outcome, waiting = self.opened.clip(unit), Outcome(), self._waiting(unit)
        for plan in self.opened.group(unit):
            if not unit.scores or plan.method in waiting:
                self._failed(Cell(plan, clip, self.machines.of(plan)), unit, UserError(reason), outcome)
        return outcome

    def check_device(self, unit: Unit) -> None:
        """Check that the device of a measured unit still serves this process; see `bench.run.device.check_serves`."""
        check_serves(self.opened.group(unit)[0].config.device, unit.where)

    def _waiting(self, unit: Unit) -> dict[str, Record]:
        """The records so far of the cells of a unit of scoring, by method."""
        return self._unscored_cells.of(unit) if self._unscored_cells is not None and unit.scores else {}

    def _measured(self, clip: Clip, group: list[MethodOnData], unit: Unit, outcome: Outcome) -> list[Cell]:
        """Look up, upscale and, unless that is a unit of its own, score; an error ends its cell alone."""
        self._pool.keep_only(group)
        cells = [self._cell(plan, clip) for plan in group]
        self.reporter.working(f"reading {group[0].data}/{clip.name}")
        try:
            with restored():
                inputs = read_inputs(clip)
        except Exception as error:  # a broken frame costs this clip
            for cell in cells:
                cell.error = error
            return cells
        began = time.monotonic()
        for cell in cells:
            cell.lr_sha256, cell.gt_sha256 = inputs.lr_digest, inputs.gt_digest
            look_up(cell, inputs, self.store)
        missing = [cell for cell in cells if cell.error is None and cell.upscaled is None]
        idle_mb = sum(cell.held_mb for cell in cells) - sum(cell.held_mb for cell in missing)
        for cell in missing:
            cell.beside_mb += idle_mb
        if missing:
            with self._turn():
                outcome.totals.upscaled += upscale(missing, inputs, self.store, self.reporter.working)
        ready = [cell for cell in cells if cell.error is None]
        if unit.step == "upscale":
            outcome.gt = inputs.gt_digest
            for cell in ready:
                self._leave(cell, unit, outcome)
        else:
            with restored():
                done = score(ready, inputs, self.store, self.reporter.working, self.reporter.advance)
            outcome.totals.scored += done
        if len(missing) == len(cells) and all(cell.error is None for cell in cells):  # all of it was computed
            keep_cost(cells, unit, time.monotonic() - began, self.store)
        return cells

    def _leave(self, cell: Cell, unit: Unit, outcome: Outcome) -> None:
        """Leave an upscaled cell for a unit of scoring."""
        assert self._unscored_cells is not None
        try:
            unscored = unscored_record(cell, *self._by(unit))
            self._unscored_cells.keep(cell, unscored)
            save_frames(cell, self.folder.path)
        except Exception as error:
            cell.error = error
            return
        outcome.unscored.append(unscored.to_json())
        outcome.notes.append(f"{cell.where}: upscaled, {line_of(unscored)}")
        self.reporter.note(outcome.notes[-1])

    def _scored(
        self, unit: Unit, group: list[MethodOnData], waiting: dict[str, Record], outcome: Outcome
    ) -> list[Cell]:
        """Score cells that were upscaled before; an error ends its cell alone. A part of the scoring returns none."""
        assert self._apart is not None
        clip = self.opened.clip(unit)
        cells = [Cell(plan, clip, self.machines.of(plan)) for plan in group]
        with self._turn(), restored():
            if unit.step not in PARTS:
                self._apart.score_clip(unit, cells, waiting, outcome.totals)
                return cells
            try:
                self._apart.score_part(unit, cells, waiting, outcome.totals)
                outcome.notes.append(f"{unit.where}: done")
            except Exception as error:  # the last unit of the clip meets it again
                outcome.notes.append(f"{unit.where}: {one_line(error)}")
        self.reporter.note(outcome.notes[-1])
        return []

    def _cell(self, plan: MethodOnData, clip: Clip) -> Cell:
        method = self._pool.load(plan)
        held, beside = method.held_mb, method.beside_mb
        return Cell(plan, clip, self.machines.of(plan), method.adapter, held, beside, error=method.error)

    def _finished(self, cell: Cell, unit: Unit, outcome: Outcome, unscored: Record | None) -> None:
        """Record a cell; `unscored` is its record so far, if it was upscaled in another unit."""
        if unscored is None:
            save_frames(cell, self.folder.path)
        record = record_of(cell, *self._by(unit)) if unscored is None else completed(unscored, cell)
        self.folder.append(record)
        if unscored is not None and self._unscored_cells is not None:
            self._unscored_cells.drop(unscored)
        outcome.totals.good += 1
        self._say(f"{cell.where}: {line_of(record)}", outcome)
        for note in _notes(record):
            outcome.notes.append(f"{cell.where}: {note}")
            self.reporter.note(outcome.notes[-1])

    def _failed(self, cell: Cell, unit: Unit, error: Exception, outcome: Outcome) -> None:
        reason = one_line(error)
        self.folder.append(record_of_failure(cell, reason, *self._by(unit)))
        self.folder.log_error(cell.where, error)
        forget_traceback(error)  # the pool keeps those of methods that cannot be loaded
        outcome.totals.failed += 1
        self._say(f"{cell.where}: FAILED: {reason}", outcome)

    def _by(self, unit: Unit) -> tuple[str, int | None]:
        return self.worker, unit.number if self.worker else None

    def _say(self, line: str, outcome: Outcome) -> None:
        outcome.lines.append(line)
        self.reporter.finished(line)


def read_inputs(clip: Clip) -> Inputs:
    """Read a clip's LR frames, and its GT frames for their digest.

    Raises:
        ValueError, OSError: a frame cannot be read.
    """
    lr = list(clip.lr())
    return Inputs(lr, frames_digest(lr), frames_digest(ahead(clip.gt())) if clip.has_gt else None)


def _notes(record: Record) -> list[str]:
    found = [note for name, score in record.scores.items() if (note := score_note(name, score))]
    return found + [f"the doctor says: {finding.text} ({finding.evidence})" for finding in record.doctor or ()]


def _environment(device: str, threads: int | None, outputs: Sequence[Path]) -> dict:
    with _threads(threads):
        return snapshot(device, outputs)


def _machine(environment: dict, threads: int | None) -> Machine:
    kind = environment["gpu"]["name"] if environment["gpu"] else "cpu"
    return Machine(device_name(environment), f"{kind}, {threads} threads" if threads else kind)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Set torch's number of CPU threads during the block; None leaves it unchanged."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count:
            torch.set_num_threads(before)
