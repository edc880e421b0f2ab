"""A run: clip by clip, the methods take turns under the clock; frames are scored; each cell becomes a record.

One failure costs one cell. What the store has under the same key is not computed again.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf

from bench.config import Combination
from bench.datasets.clip import Clip
from bench.doctor.examine import examine
from bench.environment import device_name, snapshot
from bench.labels import file_name
from bench.methods import calls
from bench.methods.programs import on_program
from bench.run.folder import RunFolder
from bench.run.job import Job, Loaded, Outcome
from bench.run.plan import Column, build, open_plan
from bench.run.progress import Reporter
from bench.run.scoring import PredictionScores, described, infinite_note, score_together
from bench.store.keys import combined, frames_digest, prediction_key
from bench.store.record import GIVEN, Descriptor, DoctorFinding, Record, Timing
from bench.store.store import Store
from bench.timing.measure import Session, take_turns
from bench.timing.memory import in_use_mb
from frames.errors import one_line
from frames.prefetch import ahead


class Run:
    """Opens everything first, so that mistakes show before any work; calling it measures what is missing."""

    def __init__(self, combinations: list[Combination], command: str) -> None:
        root = combinations[0].config
        if root.threads:
            torch.set_num_threads(root.threads)
        self.columns = open_plan(combinations)
        self.environment = snapshot(root.device)
        self.device = device_name(self.environment)
        self.device_class = self.environment["gpu"]["name"] if self.environment["gpu"] else "cpu"
        self.folder = RunFolder(root.out)
        self.folder.refuse_mixing(self.columns)
        self.store = Store(root.store)
        self._loaded: dict[str, Loaded] = {}
        self.folder.describe(command, self.environment, self.columns)

    def __call__(self) -> Outcome:
        """Measure. Ctrl-C raises KeyboardInterrupt; the cells finished by then are on disk."""
        outcome = Outcome()
        with Reporter(sum(len(column.clips) for column in self.columns)) as reporter:
            for group in self._groups():
                for clip in group[0].clips:
                    self._clip(clip, group, outcome, reporter)
        return outcome

    def _groups(self) -> list[list[Column]]:
        """Columns that take turns on a clip: those of one data set, or each alone with timing.interleave=false."""
        groups: dict[Any, list[Column]] = {}
        for index, column in enumerate(self.columns):
            key = column.data if column.config.timing.interleave else (column.data, index)
            groups.setdefault(key, []).append(column)
        return list(groups.values())

    def _clip(self, clip: Clip, group: list[Column], outcome: Outcome, reporter: Reporter) -> None:
        """All cells of one clip."""
        jobs = [Job(column, clip, self._load(column, group, reporter)) for column in group]
        reporter.working(f"reading {group[0].data}/{clip.name}")
        try:
            lr = list(clip.lr())
            lr_digest = frames_digest(lr)
            gt_digest = frames_digest(ahead(clip.gt())) if clip.has_gt else None
        except Exception as error:  # a broken frame costs this clip
            for job in jobs:
                self._failed(job, error, outcome, reporter)
            return
        for job in jobs:
            self._look_up(job, lr_digest)
        self._upscale([job for job in jobs if not job.error and not job.found], lr, outcome, reporter)
        self._score([job for job in jobs if not job.error], gt_digest, outcome, reporter)
        for job in jobs:
            try:
                if job.error:
                    raise job.error
                self._finish(job, outcome, reporter)
            except Exception as error:
                self._failed(job, error, outcome, reporter)

    def _load(self, column: Column, group: list[Column], reporter: Reporter) -> Loaded:
        """The column's method, built once; only the methods of the running group stay in memory."""
        wanted = {combined(each.method_config) for each in group}
        for key in self._loaded.keys() - wanted:
            del self._loaded[key]
        key = combined(column.method_config)
        if key not in self._loaded:
            reporter.working(f"loading {column.method}")
            before = in_use_mb(column.config.device)
            try:
                loaded = Loaded(build(column.method_config))
                loaded.held_mb = max(0.0, in_use_mb(column.config.device) - before)
            except Exception as error:  # costs this method's cells, not the run
                loaded = Loaded(error=error)
            self._loaded[key] = loaded
        return self._loaded[key]

    def _look_up(self, job: Job, lr_digest: str) -> None:
        """Fill in what needs no upscaling: frames made elsewhere, or kept from before under the same key."""
        job.error = job.loaded.error
        if job.error:
            return
        method, column = job.loaded.method, job.column
        try:
            if hasattr(method, "source"):
                sr = calls.given_frames(method, job.clip, alone=len(column.clips) == 1)
                job.frames = list(calls.to_frames(sr))
                job.found = {
                    "descriptor": calls.plain(method.descriptor),
                    "sr_sha256": frames_digest(job.frames),
                    "timing": {},
                    "timing_reason": GIVEN,
                }
                return
            identity = getattr(method, "identity", None)
            job.prediction_key = prediction_key(column.method_config, lr_digest, self.device_class, identity)
            job.times_key = combined(job.prediction_key, OmegaConf.to_container(column.config.timing), self.device)
            times, prediction = self.store.times(job.times_key), self.store.prediction(job.prediction_key)
            if times and prediction and times["sr_sha256"] == prediction.sr_sha256:  # timed = scored
                job.found, job.frames = times, prediction
        except Exception as error:
            job.error = error

    def _upscale(self, jobs: list[Job], lr: list[np.ndarray], outcome: Outcome, reporter: Reporter) -> None:
        """Time these jobs, taking turns, in every scope; their SR frames go into the store."""
        measured: dict[int, dict[str, Session]] = {index: {} for index in range(len(jobs))}
        for scope in dict.fromkeys(scope for job in jobs for scope in job.scopes):
            with ExitStack() as stack:
                taking_part = [index for index, job in enumerate(jobs) if scope in job.scopes and not job.error]
                for index in taking_part:
                    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                    measured[index][scope] = self._session(jobs[index], lr, scope, folder)
                names = ", ".join(jobs[index].column.method for index in taking_part)
                reporter.working(f"upscaling {jobs[0].column.data}/{jobs[0].clip.name} ({scope}): {names}")
                take_turns([measured[index][scope] for index in taking_part])
                for index in taking_part:
                    jobs[index].error = measured[index][scope].error
        for job, sessions in zip(jobs, measured.values()):
            if not job.error:
                try:
                    self._collect(job, sessions)
                    outcome.upscaled += 1
                except Exception as error:
                    job.error = error
            sessions.clear()

    def _session(self, job: Job, lr: list[np.ndarray], scope: str, folder: Path) -> Session:
        method, device, limits = job.loaded.method, job.column.config.device, job.column.limits
        if hasattr(method, "upscale_files"):
            return Session(on_program(method, lr, job.clip, folder), scope, "cpu", limits, elsewhere=True)
        on = calls.on_tensors(method, lr, device) if scope == "tensors" else calls.on_files(method, lr, device, folder)
        return Session(on, scope, device, limits, job.loaded.held_mb)

    def _collect(self, job: Job, sessions: dict[str, Session]) -> None:
        last = list(sessions.values())[-1]
        for session in sessions.values():
            calls.check_contract(session.output, job.clip)
            if session.output_sha256 != last.output_sha256:
                raise ValueError("the scopes gave different frames: the method is not deterministic; set its seed")
        job.frames = list(calls.to_frames(last.output))
        job.found = {
            "descriptor": calls.plain(job.loaded.method.descriptor),
            "sr_sha256": frames_digest(job.frames),
            "timing": {scope: session.result.as_dict() for scope, session in sessions.items()},
            "timed": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        try:
            self.store.keep_prediction(job.prediction_key, job.frames, job.found["sr_sha256"])
            self.store.keep_times(job.times_key, job.found)
        except OSError as error:  # a full disk must not cost what was measured
            print(
                f"bench: {self.store.root}: {job.where} is not kept for later runs: {one_line(error)}", file=sys.stderr
            )

    def _score(self, jobs: list[Job], gt_digest: str | None, outcome: Outcome, reporter: Reporter) -> None:
        """Take scores from the store, compute the missing ones of all jobs together."""
        waiting: list[tuple[Job, PredictionScores]] = []
        for job in jobs:
            job.score_keys = {
                name: combined(job.found["sr_sha256"], gt_digest, metric.signature)
                for name, metric in job.column.metrics.items()
            }
            for name, key in job.score_keys.items():
                kept = self.store.scores(key) or {}
                if kept.get("frames") is not None:
                    job.scores[name] = kept["frames"]
                elif kept.get("reason"):
                    job.absent[name] = kept["reason"]
            known = job.scores.keys() | job.absent.keys()
            missing = {name: m for name, m in job.column.metrics.items() if name not in known}
            job.doctor_key = combined("doctor", job.found["sr_sha256"], gt_digest)
            job.doctor = self.store.scores(job.doctor_key)
            if missing or (job.doctor is None and job.clip.has_gt):
                waiting.append((job, PredictionScores(job.frames, missing, job.column.protocol)))
        if not waiting:
            return
        where = f"{jobs[0].column.data}/{jobs[0].clip.name}"
        reporter.working(f"scoring {where}", jobs[0].clip.frames * len(waiting))
        try:
            gt = score_together([each for _, each in waiting], jobs[0].clip, reporter.advance)
        except Exception as error:  # a broken GT frame costs this clip
            for _, each in waiting:
                each.error = each.error or error
        for job, each in waiting:
            job.error = each.error
            if not job.error and gt and job.doctor is None:
                found = examine(each.doctor_frames, gt, (job.clip.frames, job.clip.frames))
                job.doctor = {"findings": [{"kind": f.kind, "text": f.text, "evidence": f.evidence} for f in found]}
            job.scores |= each.values
            job.absent |= each.reasons
            job.unsettled = each.passing
            outcome.scored += len(each.values) if not job.error else 0

    def _finish(self, job: Job, outcome: Outcome, reporter: Reporter) -> None:
        """Save, record."""
        for name, key in job.score_keys.items():
            if name not in job.unsettled:
                self.store.keep_scores(key, {"frames": job.scores.get(name), "reason": job.absent.get(name)})
        if job.doctor is not None:
            self.store.keep_scores(job.doctor_key, job.doctor)
        kind = job.column.config.save
        if kind != "none":
            folder = self.folder.path / kind / file_name(job.column.method) / file_name(job.column.data)
            calls.save(job.frames, job.clip, folder, kind)
        indices = job.column.protocol.indices(job.clip.frames)
        scores = {
            name: described(m, job.scores.get(name), indices, job.absent.get(name))
            for name, m in job.column.metrics.items()
        }
        findings = None if job.doctor is None else [DoctorFinding(**each) for each in job.doctor["findings"]]
        found = job.found | {
            "descriptor": Descriptor.of(job.found["descriptor"]),
            "timing": {scope: Timing.from_json(times) for scope, times in job.found["timing"].items()},
        }
        self._record(job, "ok", None, {**found, "scores": scores, "doctor": findings})
        outcome.good += 1
        reporter.finished(f"{job.where}: {job.line(scores)}")
        for name, score in scores.items():
            if note := (f"{name} is absent: {score.reason}" if score.reason else infinite_note(name, score)):
                reporter.note(f"{job.where}: {note}")
        for finding in (job.doctor or {}).get("findings", ()):
            reporter.note(f"{job.where}: the doctor says: {finding['text']} ({finding['evidence']})")

    def _failed(self, job: Job, error: Exception, outcome: Outcome, reporter: Reporter) -> None:
        reason = one_line(error)
        self._record(job, "failed", reason, {"descriptor": None, "sr_sha256": None, "timing": {}, "scores": {}})
        self.folder.log_error(job.where, error)
        outcome.failed += 1
        reporter.finished(f"{job.where}: FAILED: {reason}")

    def _record(self, job: Job, status: str, reason: str | None, found: dict) -> None:
        column, clip = job.column, job.clip
        self.folder.records.append(
            Record(
                data=column.data,
                clip=clip.name,
                method=column.method,
                status=status,
                reason=reason,
                frames=clip.frames,
                lr_size=clip.lr_size,
                gt_size=clip.gt_size,
                scale=clip.scale,
                lr_origin=clip.lr_origin,
                expected_clips=len(column.dataset.expected),
                protocol=column.protocol.name,
                data_config=column.data_config,
                device=self.device,
                method_config=column.method_config,
                prediction=job.prediction_key or None,
                date=datetime.now().astimezone().isoformat(timespec="seconds"),
                **found,
            )
        )
