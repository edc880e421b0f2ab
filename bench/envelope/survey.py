"""The envelope of each method of a command: trials until every limit is found, or the budget is spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench import labels
from bench.config import Combination
from bench.envelope.options import SearchOptions
from bench.envelope.request import Answer, Loaded, Request, Settings
from bench.envelope.search import Ladder, TrialSummary, search
from bench.run.plan import method_config
from bench.store.keys import combined, prediction_key
from bench.store.moments import now
from bench.store.trials import SLOW, WORDS, ClipSize, Envelope, Outcome, Trial, TrialFile

LIGHT = 16
"""A trial is light if this many times its memory and its time would still be within the limits."""
Run = Callable[[Request], Answer]
"""Runs one trial; see `bench.envelope.process.Runner`."""


@dataclass(frozen=True)
class Refused:
    """A method that could not be loaded."""

    method: str
    answer: Answer


class Survey:
    """Trials of some methods, kept in one file; those of an earlier call that still hold are not made again.

    Args:
        report: called with a line on each trial.
    """

    def __init__(self, options: SearchOptions, file: TrialFile, run: Run, report: Callable[[str], None]) -> None:
        self.options, self._file, self._run, self._report = options, file, run, report
        self._until = time.monotonic() + options.budget_s
        self._kept = file.read()
        self.envelopes: dict[str, Envelope] = {}  # what is known by now, also after an interrupt
        self.refused: list[Refused] = []
        self.environment: dict[str, Any] = {}

    @property
    def is_spent(self) -> bool:
        """Whether the budget of seconds is spent."""
        return time.monotonic() >= self._until

    def __call__(self, combinations: Iterable[Combination]) -> None:
        """Find the envelope of each method. Ctrl-C raises KeyboardInterrupt; what was found by then is kept."""
        for combination in combinations:
            method, settings = name_of(combination), settings_of(combination, self.options)
            self._report(f"{method}: loading")
            answer = self._run(Request(settings=settings))
            if answer.loaded is None:
                self.refused.append(Refused(method, answer))
                self._report(f"{method}: {_outcome_text(answer.outcome, answer.reason)}")
                continue
            self.environment = answer.loaded.environment
            self._explore(method, settings, answer.loaded)

    def _explore(self, method: str, settings: Settings, loaded: Loaded) -> None:
        key = key_of(settings, loaded)
        found = {trial.point: trial for trial in self._kept if trial.key == key and self._holds(trial)}
        ladders, room_mb = ladders_of(self.options, loaded), _room_mb(settings, loaded)
        while True:
            tried = {point: _summary(trial, room_mb) for point, trial in found.items()}
            results = [search(ladder, tried) for ladder in ladders]
            axes = [axis for axis, _ in results]
            self.envelopes[method] = Envelope(
                method=method,
                device=loaded.device,
                scale=settings.scale,
                memory_limit=settings.memory,
                loaded_mb=round(loaded.memory_mb, 1),
                descriptor=loaded.descriptor,
                axes=axes,
                trials=[found[point] for point in sorted({point for axis in axes for point in axis.points})],
            )
            point = next((point for _, point in results if point is not None), None)
            if point is None or self.is_spent:
                return
            found[point] = self._try(method, key, settings, point)

    def _holds(self, trial: Trial) -> bool:
        """Whether a trial of an earlier call still holds; one that was stopped does not if it now gets more time."""
        return trial.outcome != SLOW or trial.limit_s >= self.options.trial_s

    def _try(self, method: str, key: str, settings: Settings, point: ClipSize) -> Trial:
        answer = self._run(Request(settings=settings, point=point))
        trial = Trial(
            key=key,
            method=method,
            point=point,
            outcome=answer.outcome,
            reason=answer.reason,
            limit_s=self.options.trial_s,
            seconds=answer.seconds,
            loaded_mb=answer.loaded_mb,
            peak_mb=answer.peak_mb,
            peak_kind=answer.peak_kind,
            busy=answer.busy,
            date=now(),
        )
        self._file.append(trial)
        self._report(f"{method}: {point}: {_figures(trial)}")
        return trial


def name_of(combination: Combination) -> str:
    """The name of a row: the method's label, with a swept scale, which a run counts among its data set's options."""
    name, options = labels.parts(combination.method)
    return labels.label(name, options | labels.parts(combination.data)[1])


def settings_of(combination: Combination, options: SearchOptions) -> Settings:
    """The settings with which a method of a command is built and called.

    Raises:
        UserError: see `bench.run.plan.method_config`.
    """
    config = combination.config
    return Settings(
        method=method_config(combination),
        device=config.device,
        threads=config.threads,
        scale=config.scale,
        memory=options.limit(config.device),
        scope=config.timing.scopes[0],
        warmup=config.timing.warmup,
        repeats=config.timing.repeats,
        budget_s=config.timing.budget_s,
    )


def key_of(settings: Settings, loaded: Loaded) -> str:
    """Key of everything that a trial's result depends on, the clip excepted."""
    how = (settings.threads, settings.scale, settings.memory, settings.scope)
    timing = (settings.warmup, settings.repeats, settings.budget_s)
    return combined(prediction_key(settings.method, "", loaded.kind, loaded.identity), loaded.device, how, timing)


def ladders_of(options: SearchOptions, loaded: Loaded) -> list[Ladder]:
    """The ladders of the axes to search."""
    fixed = {"frame": (options.frames, 0), "clip": options.size}
    return [Ladder(name, loaded.rules, fixed[name]) for name in options.axes]


def _room_mb(settings: Settings, loaded: Loaded) -> float:
    """The memory limit less the memory of the loaded method, in MiB."""
    gpu = loaded.environment.get("gpu")
    limit = settings.memory / 2**20 if settings.memory is not None else 1024 * gpu["memory_gb"] if gpu else 0.0
    return limit - loaded.memory_mb


def _summary(trial: Trial, room_mb: float) -> TrialSummary:
    """A trial as the search sees it; light if one of four times the size would probably fit."""
    light = (trial.growth_mb or 0.0) * LIGHT < room_mb and (trial.median_s or 0.0) * LIGHT < trial.limit_s
    return TrialSummary(trial.outcome, trial.reason, light)


def _figures(trial: Trial) -> str:
    """A trial's time and memory, or why it failed, in a few words."""
    if trial.median_s is None:
        return _outcome_text(trial.outcome, trial.reason)
    memory = f", {trial.peak_mb:.0f} MiB" if trial.peak_mb is not None else ""
    return f"{trial.median_s:.3g} s{memory}" + (", on a busy machine" if trial.busy else "")


def _outcome_text(outcome: Outcome, reason: str) -> str:
    return f"{WORDS[outcome]}: {reason}"
