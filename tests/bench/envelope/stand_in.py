"""Stand-ins for methods: one of known cost that is never run, and one for real processes that takes what it is told."""

from __future__ import annotations

import os
import sys
import time

import torch

from bench.envelope.request import Answer, Loaded, Request
from bench.envelope.search import Rules
from bench.methods.contract import Descriptor, no_stages
from bench.store.trials import FITS, MEMORY, SLOW

LOADED_MB = 100.0
SECONDS_OF_MPX, MB_OF_MPX, POWER = 0.5, 80.0, 1.5
"""A clip of n LR megapixels takes 0.5 n s and 80 n ** 1.5 MiB beyond the loaded method's."""


class KnownCost:
    """Answers requests by formula, as `bench.envelope.process.Runner` would by processes."""

    def __init__(
        self,
        trial_s: float = 1e9,
        rules: Rules | None = None,
        interrupt_after: int | None = None,
        identity: dict | None = None,
    ) -> None:
        self.trial_s, self.rules, self.interrupt_after = trial_s, rules or Rules(), interrupt_after
        self.identity = identity
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        if self.interrupt_after is not None and len(self.requests) >= self.interrupt_after:
            raise KeyboardInterrupt
        self.requests.append(request)
        if request.point is None:
            environment = {"gpu": None, "commit": None}
            facts = {"name": "known", "parameters": 0}
            loaded = Loaded(
                memory_mb=LOADED_MB,
                descriptor=facts,
                rules=self.rules,
                environment=environment,
                device="a device",
                kind="cpu",
                identity=self.identity,
            )
            return Answer(outcome=FITS, loaded=loaded)
        mpx = request.point.pixels * request.point.frames / 1e6
        peak_mb, seconds = LOADED_MB + MB_OF_MPX * mpx**POWER, SECONDS_OF_MPX * mpx
        limit = request.settings.memory
        if limit is not None and peak_mb * 2**20 > limit:
            return Answer(outcome=MEMORY, reason="refused")
        if seconds > self.trial_s:
            return Answer(outcome=SLOW, reason="slow")
        return Answer(
            outcome=FITS,
            loaded_mb=LOADED_MB,
            seconds=[seconds] * 3,
            peak_mb=peak_mb,
            peak_kind="made up",
        )


class Greedy:
    """Repeats pixels, and does one thing more where a clip has at least `frames` frames.

    Args:
        then: "take" holds `megabytes` of memory, "abort" ends as a library does that finds none, "wait" takes long,
            "fail" raises.
    """

    def __init__(self, then: str, frames: int = 1, megabytes: int = 0, scale: int = 2) -> None:
        self.then, self.frames, self.megabytes = then, frames, megabytes
        self.descriptor = Descriptor(
            name="greedy", scale=scale, kind="image", device="cpu", dtype="uint8", licence="none", weights="none"
        )

    def upscale(self, lr: torch.Tensor, stages=no_stages) -> torch.Tensor:
        scale = self.descriptor.scale
        held = self._do() if len(lr) >= self.frames else None
        sr = lr.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
        del held
        return sr

    def _do(self) -> torch.Tensor | None:
        if self.then == "take":
            return torch.ones(self.megabytes << 20, dtype=torch.uint8)
        if self.then == "abort":
            print("terminate called after throwing an instance of 'std::bad_alloc'", file=sys.stderr, flush=True)
            os.abort()
        if self.then == "wait":
            time.sleep(3600)
        raise ValueError("it does not like this clip")
