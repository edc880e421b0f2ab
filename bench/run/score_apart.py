"""Units of scoring in a run of many workers: a whole clip, or parts that the clip's last unit joins.

Metrics of single frames are cut by frames: each GT frame passes the networks once, for all methods. The results of a
part wait under the digests of its frames. Metrics of frames in order are cut by methods, and give complete scores.
The last unit scores the clip as a run of one worker does, with the known scores: it computes the missing ones, and it
alone records.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from bench.metrics.accumulators import reason_absent
from bench.run.cell import Cell, Inputs, Totals, Upscaled
from bench.run.estimate import keep_cost
from bench.run.frame_scores import FrameScores
from bench.run.progress import Reporter
from bench.run.score import from_store, score
from bench.run.scoring import PredictionScores, score_together
from bench.run.units import Unit, sees
from bench.run.unscored import UnscoredCells
from bench.store.keys import frames_digest
from bench.store.prediction import Prediction
from bench.store.record import Record
from bench.store.store import Store
from frames.errors import UserError
from frames.prefetch import ahead


class ScoreApart:
    """Scores cells that were upscaled in earlier units.

    Args:
        store: of the run.
    """

    def __init__(self, unscored_cells: UnscoredCells, store: Store, reporter: Reporter) -> None:
        self._unscored_cells, self._store, self._reporter = unscored_cells, store, reporter

    def score_clip(self, unit: Unit, cells: list[Cell], waiting: dict[str, Record], totals: Totals) -> None:
        """Fill in the scores of a clip's cells, or their errors."""
        given_up = self._unscored_cells.given_up(unit)
        for cell in cells:
            if reason := given_up.get(cell.plan.method):
                cell.error = UserError(reason)
        began = time.monotonic()
        ready = self._ready(cells, waiting)
        joined = [each.plan.method for each in ready if unit.joins]
        known = {method: self._unscored_cells.known(unit, waiting[method]) for method in joined}
        store = self._unscored_cells.scores(unit) if unit.joins else self._store
        computed = self._score(ready, store, known)
        totals.scored += computed
        if computed == sum(len(cell.plan.metrics) for cell in cells) and all(cell.error is None for cell in cells):
            keep_cost(cells, unit, time.monotonic() - began, self._store)

    def score_part(self, unit: Unit, cells: list[Cell], waiting: dict[str, Record], totals: Totals) -> None:
        """Compute a part of the scores of a clip's cells, and keep it for the clip's last unit.

        A failure here happens there again, and is recorded there.

        Raises:
            ValueError, OSError: a GT frame cannot be read.
        """
        own = [_in_part(cell, unit) for cell in cells]
        began = time.monotonic()
        if unit.step == "order":
            computed = self._score(self._ready(own, waiting), self._unscored_cells.scores(unit), {})
            totals.scored += computed
        else:
            computed = self._frames(unit, own, waiting)
        if computed == sum(len(cell.plan.metrics) for cell in own) and all(cell.error is None for cell in own):
            keep_cost(cells, unit, time.monotonic() - began, self._store)

    def _score(self, cells: list[Cell], store: Store, known: Mapping[str, FrameScores]) -> int:
        """Score whole clips; a broken GT frame costs all cells."""
        if not cells:
            return 0
        clip = cells[0].clip
        try:
            inputs = Inputs([], "", frames_digest(ahead(clip.gt())) if clip.has_gt else None)
        except Exception as error:
            for cell in cells:
                cell.error = error
            return 0
        return score(cells, inputs, store, self._reporter.working, self._reporter.advance, known)

    def _frames(self, unit: Unit, cells: list[Cell], waiting: dict[str, Record]) -> int:
        """Score some frames by metrics of single frames; returns the number of (method, metric) with nothing known."""
        part, gt = range(unit.first, unit.first + unit.frames), self._unscored_cells.gt(unit)
        predictions: list[tuple[Cell, PredictionScores, FrameScores]] = []
        for cell in cells:
            unscored = waiting[cell.plan.method]
            try:
                frames = self._unscored_cells.frames(unscored)
                there = from_store(cell, _upscaled(unscored, frames), Inputs([], "", gt), self._store).values
                missing = {name: metric for name, metric in cell.plan.metrics.items() if name not in there}
                known = self._unscored_cells.known(unit, unscored)
                own = PredictionScores(frames.some(part), missing, cell.plan.protocol, known=known)
                if missing:
                    predictions.append((cell, own, known))
            except Exception as error:
                cell.error = error
        if not predictions:
            return 0
        self._reporter.working(unit.where, unit.frames * len(predictions))
        score_together([each for _, each, _ in predictions], cells[0].clip, self._reporter.advance, part)
        for cell, each, known in predictions:
            cell.error = each.error
            self._unscored_cells.keep_part(unit, waiting[cell.plan.method], known.computed)
        count = sum(index in part for index in cells[0].plan.protocol.indices(cells[0].clip.frames))
        return sum(len(values) == count for _, _, known in predictions for values in known.computed.values())

    def _ready(self, cells: list[Cell], waiting: dict[str, Record]) -> list[Cell]:
        """The cells whose SR frames are all there and verified."""
        for cell in cells:
            unscored = waiting[cell.plan.method]
            try:
                if cell.error is None:
                    frames = self._unscored_cells.frames(unscored)
                    frames.check()
                    cell.upscaled = _upscaled(unscored, frames)
            except Exception as error:
                cell.error = error
        return [cell for cell in cells if cell.error is None]


def _in_part(cell: Cell, unit: Unit) -> Cell:
    """A cell with the metrics that a part computes."""
    indices = cell.plan.protocol.indices(cell.clip.frames)
    own = {
        name: metric
        for name, metric in cell.plan.metrics.items()
        if sees(unit.step, metric) and reason_absent(metric, indices, cell.clip.has_gt) is None
    }
    return Cell(replace(cell.plan, metrics=own), cell.clip, cell.machine)


def _upscaled(unscored: Record, frames: Prediction) -> Upscaled:
    assert unscored.descriptor is not None and unscored.sr_sha256 is not None
    return Upscaled(frames, unscored.sr_sha256, unscored.descriptor)
