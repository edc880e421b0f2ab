"""Cells between upscaling and scoring, if these are separate units: the record so far, and the SR frames.

The record without scores is in the log line of the unit that upscaled it, so it exists exactly when that unit is done.
The frames are those of the store; frames that the store does not keep wait in the run's work folder. So do the scores
that parts of the scoring leave for the last unit of their clip.
"""

from __future__ import annotations

import re
import shutil

from bench.run.cell import Cell
from bench.run.frame_scores import FrameScores
from bench.run.job import Job
from bench.run.units import Unit
from bench.store.keys import combined
from bench.store.prediction import Prediction
from bench.store.record import Record
from bench.store.store import FrameValues, Store
from frames.errors import UserError

_KEY = re.compile("[0-9a-f]{64}")


class UnscoredCells:
    """Records, frames and scores that workers of one run leave for those that score."""

    def __init__(self, job: Job, store: Store) -> None:
        self.job, self.store = job, store
        self._own = Store(job.frames)

    def keep(self, cell: Cell, unscored: Record) -> None:
        """Keep a cell's SR frames until they are scored.

        Raises:
            UserError: the frames cannot be kept.
        """
        if unscored.prediction and self.store.has_prediction(unscored.prediction):
            return
        if cell.upscaled is not None:
            self._own.keep_prediction(_key(unscored), cell.upscaled.frames, cell.upscaled.sr_sha256)
        if not self._own.has_prediction(_key(unscored)):
            raise UserError(f"{self.job.frames}: the SR frames cannot be kept there until they are scored")

    def of(self, unit: Unit) -> dict[str, Record]:
        """The records of the cells that a unit has to score, by method, without those whose upscaling failed."""
        done = self.job.done()
        records = [unscored for number in unit.after if number in done for unscored in done[number].halves]
        return {record.method: record for record in map(Record.from_json, records) if record.method in unit.methods}

    def gt(self, unit: Unit) -> str | None:
        """The digest of GT as read by the workers that upscaled."""
        done = self.job.done()
        return next((gt for number in unit.after if number in done and (gt := done[number].gt)), None)

    def given_up(self, unit: Unit) -> dict[str, str]:
        """The methods whose scoring an earlier part of the clip gave up, with the reason."""
        done = self.job.done()
        return {method: why for number in unit.after if number in done for method, why in done[number].given_up.items()}

    def frames(self, unscored: Record) -> Prediction:
        """The SR frames of a cell, which are verified when all of them are read.

        Raises:
            UserError: the frames are gone.
        """
        for store, key in ((self._own, _key(unscored)), (self.store, unscored.prediction or "")):
            if _KEY.fullmatch(key) and (found := store.prediction(key)):
                if (found.sr_sha256, found.frames) == (unscored.sr_sha256, unscored.frames):
                    return found
        raise UserError("its SR frames are gone from the store; the same command makes them anew")

    def scores(self, unit: Unit) -> Store:
        """The store for the scores of a clip that is scored in parts."""
        return self.store if self.store.root is not None else self._of_clip(unit)

    def known(self, unit: Unit, unscored: Record) -> FrameScores:
        """The scores of a cell's single frames that parts of the scoring have left."""
        found: FrameValues = {}
        for store in (self.store, self._of_clip(unit)):
            for signature, values in store.parts(_key(unscored)).items():
                found.setdefault(signature, {}).update(values)
        return FrameScores(found)

    def keep_part(self, unit: Unit, unscored: Record, values: FrameValues) -> None:
        """Keep scores of single frames for the last unit of their clip."""
        name = combined(unit.first, unit.frames, sorted(values))
        if values and not self.store.keep_part(_key(unscored), name, values):
            self._of_clip(unit).keep_part(_key(unscored), name, values)

    def drop(self, unscored: Record) -> None:
        """Delete what was kept until a cell had its record: frames in the run's folder, and scores of parts."""
        shutil.rmtree(self.job.frames / "predictions" / _key(unscored), ignore_errors=True)
        self.store.drop_parts(_key(unscored))

    def drop_clip(self, unit: Unit) -> None:
        """Delete what the run itself kept of a clip whose parts have been joined."""
        shutil.rmtree(self.job.frames / combined(unit.data, unit.clip), ignore_errors=True)

    def _of_clip(self, unit: Unit) -> Store:
        return Store(self.job.frames / combined(unit.data, unit.clip))


def _key(unscored: Record) -> str:
    """Key of what is kept of a cell until it is scored; it names the cell, as two clips may have the same frames."""
    return combined(unscored.sr_sha256, *unscored.cell)
