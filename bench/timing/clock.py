"""One clock for a device: CUDA events where the work is queued on a GPU, a monotonic clock on the CPU."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

REST = "other"
"""The stage that holds what no announced stage covers, so that stages add up to the total."""


class Stopwatch:
    """Times one call: the total, and the stages that the upscaler announces by `with watch.stage(name):`."""

    def __init__(self, device: str) -> None:
        self.cuda = device.startswith("cuda")
        self.device = torch.device(device)
        self._spans: list[tuple[str, object, object]] = []
        self._inside: str | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage during the block. Times of one name add up; stages must not nest (RuntimeError)."""
        if self._inside is not None:
            raise RuntimeError(f"stage {name!r} was announced inside stage {self._inside!r}: stages do not nest")
        self._inside, start = name, self._now()
        try:
            yield
        finally:
            self._inside = None
            self._spans.append((name, start, self._now()))

    @contextmanager
    def total(self) -> Iterator[None]:
        """Time the whole call during the block; on CUDA the device has ended all work before and after.

        The last event is recorded after that: it waits for the current stream only, and a method may use others.
        """
        self._spans.clear()
        if self.cuda:
            torch.cuda.synchronize(self.device)
        self._start = self._now()
        yield
        if self.cuda:
            torch.cuda.synchronize(self.device)
        self._end = self._now()
        if self.cuda:
            torch.cuda.synchronize(self.device)

    def seconds(self) -> tuple[float, dict[str, float]]:
        """(total, seconds by stage in order of first appearance, with the remainder as `other`)."""
        total = self._between(self._start, self._end)
        stages: dict[str, float] = {}
        for name, start, end in self._spans:
            stages[name] = stages.get(name, 0.0) + self._between(start, end)
        rest = max(0.0, total - sum(stages.values()))
        stages[REST] = stages.get(REST, 0.0) + rest  # an upscaler may announce a stage of this name
        return total, stages

    def _now(self) -> object:
        if not self.cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self.device))
        return event

    def _between(self, start, end) -> float:
        return start.elapsed_time(end) / 1e3 if self.cuda else end - start
