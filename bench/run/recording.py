"""Last step: the cell's record, the SR frames to keep, and the line on the terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.labels import file_name
from bench.methods import calls
from bench.report.grid import figure
from bench.run.cell import Cell, Scored, Upscaled
from bench.run.scoring import described
from bench.store.moments import now
from bench.store.record import Record, Score
from frames.appending import refuse_links

SAVED = ("frames", "video")
"""Folders of kept SR frames in a run's folder, named as the values of the option `save`."""


def record_of(cell: Cell, worker: str = "", unit: int | None = None) -> Record:
    """The record of a finished cell; `worker` and `unit` in a run of many workers."""
    upscaled, scored = cell.upscaled, cell.scored
    if upscaled is None or scored is None:
        raise RuntimeError(f"{cell.where}: nothing was measured")
    return replace(_record(cell, None, upscaled, scored), worker=worker, unit=unit)


def unscored_record(cell: Cell, worker: str = "", unit: int | None = None) -> Record:
    """The record of a cell that is upscaled but not scored yet."""
    if cell.upscaled is None:
        raise RuntimeError(f"{cell.where}: nothing was measured")
    return replace(_record(cell, None, cell.upscaled, None), worker=worker, unit=unit)


def completed(unscored: Record, cell: Cell) -> Record:
    """The record of a cell that was upscaled elsewhere, with its scores."""
    if cell.scored is None:
        raise RuntimeError(f"{cell.where}: nothing was measured")
    return replace(unscored, scores=_scores(cell, cell.scored), doctor=cell.scored.findings, date=now())


def record_of_failure(cell: Cell, reason: str, worker: str = "", unit: int | None = None) -> Record:
    """The record of a cell that failed."""
    return replace(_record(cell, reason, None, None), worker=worker, unit=unit)


def save_frames(cell: Cell, folder: Path) -> None:
    """Keep a cell's SR frames below the run's folder, as the option `save` says.

    Raises:
        UserError: a folder on the way to them is a link.
    """
    kind = cell.plan.config.save
    if kind != "none" and cell.upscaled is not None:
        where = folder / kind / file_name(cell.plan.method) / file_name(cell.plan.data)
        refuse_links(where / file_name(cell.clip.name), folder)
        calls.save(cell.upscaled.frames, cell.clip, where, kind)


def line_of(record: Record) -> str:
    """A finished cell in one line: frames, speed, scores."""
    frames = record.frames
    parts = [f"{frames} frame{'s' * (frames > 1)}"]
    for scope, times in record.timing.items():
        speed = f"{figure(frames / times.median_s, None)} fps ({scope}, median of {len(times.repetitions)}"
        parts.append(speed + (", on a busy machine)" if times.busy else ")"))
    parts += [_figure(name, score) for name, score in record.scores.items() if score.values]
    return ", ".join(parts)


def _figure(name: str, score: Score) -> str:
    values = score.values or []
    return f"{name} {figure(sum(values) / len(values), score.digits)}"


def _record(cell: Cell, reason: str | None, upscaled: Upscaled | None, scored: Scored | None) -> Record:
    plan, clip = cell.plan, cell.clip
    return Record(
        data=plan.data,
        clip=clip.name,
        method=plan.method,
        status="failed" if upscaled is None else "ok",
        reason=reason,
        frames=clip.frames,
        lr_size=clip.lr_size,
        gt_size=clip.gt_size,
        scale=clip.scale,
        lr_origin=clip.lr_origin,
        lr_made_with=clip.lr_made_with or None,
        expected_clips=plan.expected,
        protocol=plan.protocol.name,
        data_config=plan.data_config,
        device=cell.machine.name,
        method_config=plan.method_config,
        method_files=cell.files,
        prediction=cell.keys.prediction or None,
        descriptor=replace(upscaled.descriptor, trained_on=list(plan.trained_on)) if upscaled else None,
        sr_sha256=upscaled.sr_sha256 if upscaled else None,
        lr_sha256=cell.lr_sha256,
        gt_sha256=cell.gt_sha256,
        timing=upscaled.timing if upscaled else {},
        timed=upscaled.timed if upscaled else None,
        timing_reason=upscaled.timing_reason if upscaled else None,
        macs=upscaled.macs.clip if upscaled else None,
        macs_reason=upscaled.macs.reason if upscaled else None,
        scores=_scores(cell, scored) if scored else {},
        doctor=scored.findings if scored else None,
        date=now(),
    )


def _scores(cell: Cell, scored: Scored) -> dict[str, Score]:
    values = scored.values
    indices = cell.plan.protocol.indices(cell.clip.frames) if values else []
    return {
        name: described(metric, values[name].values, indices, values[name].reason)
        for name, metric in cell.plan.metrics.items()
        if name in values
    }
