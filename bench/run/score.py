"""Third step: scores from the store, and the missing ones of all methods of one clip computed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bench.doctor.examine import examine
from bench.metrics.accumulators import reason_absent
from bench.metrics.base import Metric
from bench.metrics.features import full_precision
from bench.run.cell import Cell, Inputs, Scored, Upscaled
from bench.run.frame_scores import FrameScores, recipe_of
from bench.run.scoring import PredictionScores, score_together
from bench.store.keys import combined
from bench.store.record import DoctorFinding
from bench.store.store import Store, StoredFindings, StoredScores

DOCTOR = "v3"
"""The version of the doctor's rules; stored findings of other versions are ignored."""
Working = Callable[[str, int], None]
"""Called with a description of the running step, and its number of frames."""


def is_complete(cell: Cell, upscaled: Upscaled, inputs: Inputs, store: Store) -> bool:
    """Whether the store has every score of these SR frames, so that they need not be read."""
    scored = from_store(cell, upscaled, inputs, store)
    return scored.values.keys() == cell.plan.metrics.keys() and (scored.findings is not None or not cell.clip.has_gt)


def score(
    cells: list[Cell],
    inputs: Inputs,
    store: Store,
    working: Working,
    step: Callable[[], None],
    known: Mapping[str, FrameScores] = MappingProxyType({}),
) -> int:
    """Fill in `scored` of these cells of one clip, or their errors; new scores go into the store.

    Args:
        step: called after each frame of each prediction that is scored.
        known: known scores of single frames, by method.
    Returns:
        Number of values (clip, method, metric) that were computed.
    """
    predictions: list[tuple[Cell, PredictionScores]] = []
    for cell in cells:
        assert cell.upscaled is not None
        try:
            cell.scored = from_store(cell, cell.upscaled, inputs, store)
        except ValueError as error:  # the protocol scores frames that this clip lacks
            cell.error = error
            continue
        missing = {name: metric for name, metric in cell.plan.metrics.items() if name not in cell.scored.values}
        if missing or (cell.scored.findings is None and cell.clip.has_gt):
            own = known.get(cell.plan.method)
            predictions.append((cell, PredictionScores(cell.upscaled.frames, missing, cell.plan.protocol, known=own)))
    if not predictions:
        return 0
    clip = cells[0].clip
    working(f"scoring {cells[0].plan.data}/{clip.name}", clip.frames * len(predictions))
    try:
        with full_precision(cells[0].plan.config.device):  # metrics run in two threads, and the switch is of both
            gt = score_together([each for _, each in predictions], clip, step)
    except Exception as error:  # a broken GT frame costs this clip
        for _, prediction in predictions:
            prediction.error = prediction.error or error
    count = 0
    for cell, prediction in predictions:
        cell.error = prediction.error
        if prediction.error is None and cell.scored is not None and cell.upscaled is not None:
            findings = cell.scored.findings
            if findings is None and gt:
                found = examine(prediction.doctor_frames, gt, (clip.frames, clip.frames))
                findings = [DoctorFinding(kind=f.kind, text=f.text, evidence=f.evidence) for f in found]
            computed = {
                name: StoredScores(prediction.values.get(name), prediction.reasons.get(name))
                for name in prediction.metrics
            }
            cell.scored = Scored(cell.scored.values | computed, findings)
            count += len(prediction.values)
            lasting = {name: found for name, found in computed.items() if name not in prediction.passing}
            _keep(cell, cell.upscaled, lasting, inputs, store)
    return count


def from_store(cell: Cell, upscaled: Upscaled, inputs: Inputs, store: Store) -> Scored:
    """The scores that the store has, or the reason of a metric that can have no value for this clip.

    Raises:
        ValueError: the protocol scores frames that this clip lacks.
    """
    indices = cell.plan.protocol.indices(cell.clip.frames)
    values = {}
    for name, metric in cell.plan.metrics.items():
        if reason := reason_absent(metric, indices, cell.clip.has_gt):
            values[name] = StoredScores(None, reason)
        elif found := store.scores(_key(metric, upscaled, inputs), len(indices) - metric.kind.window + 1):
            values[name] = found
    kept = store.findings(_doctor_key(upscaled, inputs)) if cell.clip.has_gt else None
    return Scored(values, kept.findings if kept else None)


def _keep(cell: Cell, upscaled: Upscaled, scores: dict[str, StoredScores], inputs: Inputs, store: Store) -> None:
    for name, found in scores.items():
        store.keep_scores(_key(cell.plan.metrics[name], upscaled, inputs), found)
    if cell.scored is not None and cell.scored.findings is not None:
        store.keep_findings(_doctor_key(upscaled, inputs), StoredFindings(cell.scored.findings))


def _key(metric: Metric, upscaled: Upscaled, inputs: Inputs) -> str:
    return combined(upscaled.sr_sha256, inputs.gt_digest, recipe_of(metric))


def _doctor_key(upscaled: Upscaled, inputs: Inputs) -> str:
    return combined(f"doctor {DOCTOR}", upscaled.sr_sha256, inputs.gt_digest)
