"""Repeated timed calls: separate warm-up, every repetition kept, methods taking turns."""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import psutil
import torch

from bench.timing.clock import Stopwatch
from bench.timing.contention import contended
from bench.timing.memory import free_locals, peak_memory, peak_of_started
from bench.timing.results import Repetition, Timing
from bench.timing.stats import median
from bench.timing.telemetry import watched

Call = Callable[[Callable, bool], torch.Tensor | Callable[[], torch.Tensor]]
"""`call(stages, warm_up)` -> uint8 SR frames, or a function that fetches them once the clock has stopped (they are in
files); a warm-up call works on other input of the same shape where it can."""

CACHED = 0.67
"""A repeated input answered in less than this share of a fresh one's time is suspicious: flagged as `cached`."""


@dataclass(frozen=True)
class Limits:
    """Limits on the number of repetitions and on their time."""

    warmup: int = 1
    repeats: int = 3
    budget_s: float = 30.0  # no further repetition once this is spent, and as much again for redone ones; one at least
    limit_s: float | None = None  # a single call that takes longer fails


class Session:
    """One method on one clip in one scope: warm up, then `repeat()` until `done`.

    Args:
        held_mb: what the method's weights and its copy of the LR frames take between calls.
        beside_mb: what others hold in memory that take no turns.
        elsewhere: the call starts other processes that do the work, and their memory counts.
        around: entered around each call, outside of the clock.
    """

    def __init__(
        self,
        call: Call,
        scope: str,
        device: str,
        limits: Limits,
        held_mb: float = 0.0,
        beside_mb: float = 0.0,
        elsewhere: bool = False,
        around: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        self.call, self.device, self.limits, self.elsewhere, self._around = call, device, limits, elsewhere, around
        self.held_mb, self.beside_mb = held_mb, beside_mb
        self.foreign_mb = 0.0  # what others hold in memory: taken off this one's peak
        clock = "cuda events" if device.startswith("cuda") else "perf_counter"
        self.result = Timing(scope=scope, clock=clock, warmup=limits.warmup, first_call_s=0.0, repetitions=[])
        self.output: torch.Tensor | None = None
        self.output_sha256 = ""  # see `digest`
        self.error: Exception | None = None
        self._digests: set[str] = set()
        self._fresh: Repetition | None = None  # the first one: the only one with input that the method has not seen
        self._spent = self._wasted = 0.0

    @property
    def done(self) -> bool:
        made = len(self.result.repetitions)
        return (
            self.error is not None or made >= self.limits.repeats or (made > 0 and self._spent >= self.limits.budget_s)
        )

    def release(self) -> None:
        """Let go of the LR and SR frames; no call may follow."""
        self.output, self.call = None, _ended

    def warm_up(self) -> None:
        """Make the warm-up calls, and keep the time of the first."""
        for index in range(self.limits.warmup):
            repetition = self._run(warm_up=True)
            if index == 0:
                self.result.first_call_s = repetition.total_s

    def repeat(self) -> None:
        """Make one timed call; a tainted one is thrown away, at most `repeats` times and within the budget."""
        result = self.result
        repetition = self._run(warm_up=False)
        self._fresh = self._fresh or repetition
        result.first_call_s = result.first_call_s or repetition.total_s  # without a warm-up, also if it is redone
        if repetition.tainted and result.redone < self.limits.repeats and self._wasted < self.limits.budget_s:
            result.redone += 1  # once for each wanted repetition: then the machine is as it is, and the record says so
            self._wasted += repetition.total_s
            return
        result.repetitions.append(repetition)
        self._spent += repetition.total_s
        assert self.output is not None
        self.output_sha256 = digest(self.output)
        self._digests.add(self.output_sha256)
        if len(result.repetitions) > 1:
            result.same_output = len(self._digests) == 1
            result.cached = self._looks_cached(self._fresh)

    def _looks_cached(self, fresh: Repetition) -> bool | None:
        """`Timing.cached`; `fresh` is the repetition with new input, kept or thrown away."""
        repeated = [each.total_s for each in self.result.repetitions if each is not fresh]
        if len(repeated) < 2 or not self.limits.warmup:  # without a warm-up the first is slow for other reasons
            return None
        faster = median(repeated) < CACHED * fresh.total_s
        was_kept = len(repeated) < len(self.result.repetitions)
        return faster if was_kept or not faster else None  # a tainted one may be slow for other reasons, too

    def _run(self, warm_up: bool) -> Repetition:
        self.output = None  # earlier frames must not count towards the peak
        watch = Stopwatch(self.device)
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
        memory = peak_of_started() if self.elsewhere else peak_memory(self.device)
        with self._around(), watched(self.device) as telemetry, memory as peak, contended() as contention:
            with _time_limit(self.limits.limit_s), torch.inference_mode(), watch.total():
                output = self.call(watch.stage, warm_up)
        self.output = output() if callable(output) else output
        own = round(peak.mb if self.elsewhere else peak.mb - self.foreign_mb, 1)
        if peak.kind and own > (self.result.peak_memory_mb or 0.0):
            self.result.peak_memory_mb, self.result.peak_memory_kind = own, peak.kind
        busy = contention.busy or bool(telemetry and telemetry.foreign_processes)
        mhz = float(frequency.current) if frequency else None
        return Repetition(*watch.seconds(), load, mhz, telemetry, contention, busy)


def _ended(stages: Callable, warm_up: bool) -> torch.Tensor:
    raise RuntimeError("the session has let go of its frames")


def take_turns(sessions: Sequence[Session]) -> None:
    """Warm all sessions up, then repeat A B C A B C ... so that drift of the machine hits all alike.

    An exception in one session is kept in its `error` and ends that session alone.
    """
    for session in sessions:
        session.result.interleaved_with = len(sessions) - 1
        _guarded(session, sessions, session.warm_up)
    while waiting := [session for session in sessions if not session.done]:
        for session in waiting:
            _guarded(session, sessions, session.repeat)


def _guarded(session: Session, sessions: Sequence[Session], step: Callable[[], None]) -> None:
    if session.error is None:
        others = [other for other in sessions if other is not session]
        outputs = [other.output for other in others if other.output is not None]
        kind = torch.device(session.device).type  # the frames of a program are in host memory, beside a GPU's, too
        output_mb = sum(output.nbytes for output in outputs if output.device.type == kind) / 2**20
        session.foreign_mb = session.beside_mb + output_mb + sum(other.held_mb for other in others)
        try:
            step()
        except Exception as error:  # out of memory, a bug in a method, a time limit: this session's alone
            session.error, session.output = error, None
            free_locals(error)  # the others need the memory


def digest(frames: torch.Tensor) -> str:
    """sha256 of uint8 frames and their shape."""
    state = hashlib.sha256(str(tuple(frames.shape)).encode())
    for frame in frames:
        state.update(frame.contiguous().cpu().numpy())
    return state.hexdigest()


@contextmanager
def _time_limit(seconds: float | None) -> Iterator[None]:
    """Raise TimeoutError in the block after `seconds`, at the next return to Python (Unix, main thread only)."""
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def expired(*_) -> None:
        raise TimeoutError(f"took longer than timing.limit_s={seconds:g}")

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
