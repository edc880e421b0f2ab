"""Cells between upscaling and scoring, where these are units of their own: the record so far, and the SR frames.

The record without scores stands in the log line of the unit that upscaled it: it is there when that unit is done, or
not at all. The frames are those of the store; what it does not keep lies in the run's folder of work until then.
"""

from __future__ import annotations

import re
import shutil

from bench.run.cell import Cell
from bench.run.job import Job
from bench.run.units import Unit
from bench.store.keys import combined
from bench.store.prediction import Prediction
from bench.store.record import Record
from bench.store.store import Store
from frames.errors import UserError

_KEY = re.compile("[0-9a-f]{64}")


class Halves:
    """What the workers of one run leave for those that score."""

    def __init__(self, job: Job, store: Store) -> None:
        self.job, self.store = job, store
        self._own = Store(job.frames)

    def keep(self, cell: Cell, half: Record) -> None:
        """Keep a cell's SR frames until they are scored.

        Raises:
            UserError: they cannot be kept.
        """
        if half.prediction and self.store.has_prediction(half.prediction):
            return
        if cell.upscaled is not None:
            self._own.keep_prediction(_key(half), cell.upscaled.frames, cell.upscaled.sr_sha256)
        if not self._own.has_prediction(_key(half)):
            raise UserError(f"{self.job.frames}: the SR frames cannot be kept there until they are scored")

    def of(self, unit: Unit) -> dict[str, Record]:
        """The cells that a unit of scoring has to score, by method; those whose upscaling failed are not among them."""
        done = self.job.done()
        halves = [half for number in unit.after if number in done for half in done[number].halves]
        return {record.method: record for record in map(Record.from_json, halves) if record.method in unit.methods}

    def frames(self, half: Record) -> Prediction:
        """The SR frames of a cell, verified.

        Raises:
            UserError: they are not there any more.
            Damaged: they are not those that were kept.
        """
        for store, key in ((self._own, _key(half)), (self.store, half.prediction or "")):
            if _KEY.fullmatch(key) and (found := store.prediction(key)):
                if (found.sr_sha256, found.frames) == (half.sr_sha256, half.frames):
                    found.check()
                    return found
        raise UserError("its SR frames are gone from the store; the same command makes them anew")

    def drop(self, half: Record) -> None:
        """Delete the frames of a cell that has its record, where the run itself kept them."""
        shutil.rmtree(self.job.frames / "predictions" / _key(half), ignore_errors=True)


def _key(half: Record) -> str:
    """Of the frames that a run keeps itself: two clips may have the same frames."""
    return combined(half.sr_sha256, *half.cell)
