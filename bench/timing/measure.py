"""Repeat a call under the clock: warm-up apart, every repetition kept, the output of the timed call returned."""

from __future__ import annotations

import hashlib
import statistics
import time
from dataclasses import asdict, dataclass, field
from typing import Callable

import torch

from bench.timing.clock import Stopwatch
from bench.timing.memory import peak_memory

Call = Callable[[Callable], torch.Tensor]
"""Takes the stage announcer, returns the SR frames."""


@dataclass
class Repetition:
    total_s: float
    stages_s: dict[str, float]


@dataclass
class Measurement:
    """Times of one clip in one scope; nothing is averaged away."""

    scope: str
    clock: str
    first_call_s: float
    warmup: int
    repetitions: list[Repetition] = field(default_factory=list)
    peak_memory_mb: float = 0.0
    peak_memory_kind: str = ""
    same_output: bool | None = None  # every repetition gave the same frames; None: there was only one

    def as_dict(self) -> dict:
        return asdict(self)


def measure(call: Call, scope: str, device: str, warmup: int, repeats: int, budget_s: float) -> tuple:
    """Run `call` until `repeats` repetitions are timed or `budget_s` is spent on them, one at the least.

    Returns:
        (SR frames of the last timed repetition, their sha256, Measurement). Timed = scored: these are the frames to score.
    """
    clock = "cuda events" if device.startswith("cuda") else "perf_counter"
    result = Measurement(scope=scope, clock=clock, first_call_s=0.0, warmup=warmup)
    with peak_memory(device) as peak:
        for index in range(warmup):
            seconds = _run(call, device)[1].total_s
            result.first_call_s = result.first_call_s or seconds
        digests, started = [], time.perf_counter()
        while not result.repetitions or (
            len(result.repetitions) < repeats and time.perf_counter() - started < budget_s
        ):
            output = None  # the previous frames must not count towards the peak
            output, repetition = _run(call, device)
            result.repetitions.append(repetition)
            digests.append(digest(output))
    result.first_call_s = result.first_call_s or result.repetitions[0].total_s
    result.peak_memory_mb, result.peak_memory_kind = round(peak.mb, 1), peak.kind
    result.same_output = len(set(digests)) == 1 if len(digests) > 1 else None
    return output, digests[-1], result


def digest(frames: torch.Tensor) -> str:
    """sha256 of uint8 frames and their shape."""
    state = hashlib.sha256(str(tuple(frames.shape)).encode())
    for frame in frames:
        state.update(frame.contiguous().cpu().numpy())
    return state.hexdigest()


def spread(values: list[float]) -> tuple[float, float]:
    """(median, interquartile range) of one or more values; the range of a single value is 0."""
    if len(values) == 1:
        return values[0], 0.0
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return statistics.median(values), upper - lower


def _run(call: Call, device: str) -> tuple[torch.Tensor, Repetition]:
    watch = Stopwatch(device)
    with torch.inference_mode(), watch.total():
        output = call(watch.stage)
    return output, Repetition(*watch.seconds())
