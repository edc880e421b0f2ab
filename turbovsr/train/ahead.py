"""Draw the batches of the next steps in other threads while this step computes.

A batch depends on (seed, step, rank) alone, so nothing changes but the time: each step's `StepRandom` draws its batch
first, and is handed over with its generators in the state that the drawing left them in.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import torch
from torch import Tensor

from turbovsr.train.step_random import StepRandom

Draw = Callable[[StepRandom], tuple[Tensor, Tensor]]


class Ahead:
    """`ahead(step)` gives the steps' random numbers one after the other, with their batches drawn.

    Args:
        draw: draws the batch of one step, as the step itself would.
        first, last: steps that are drawn, `last` excluded.
        workers: threads, and how many steps ahead they are; 0 draws in this thread when asked.
    """

    def __init__(self, draw: Draw, seed: int, first: int, last: int, workers: int):
        self.draw, self.seed, self.next, self.last = draw, seed, first, last
        self.pool = ThreadPoolExecutor(workers, thread_name_prefix="data") if workers else None
        self.pending: deque = deque()
        self.workers = workers

    def __call__(self, step: int) -> StepRandom:
        if self.pool is None:
            return self._drawn(step)
        while self.next < self.last and len(self.pending) <= self.workers:
            self.pending.append((self.next, self.pool.submit(self._drawn, self.next)))
            self.next += 1
        expected, future = self.pending.popleft()
        assert expected == step, f"steps are drawn in order: {expected} is next, not {step}"
        return future.result()

    def close(self) -> None:
        """Drop what nobody will ask for."""
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)

    @torch.no_grad()
    def _drawn(self, step: int) -> StepRandom:
        random = StepRandom(self.seed, step)
        random.drawn = self.draw(random)
        return random


class Drawn:
    """Stands for a `BatchConfig` in the losses: gives a step's batch where it is drawn already, on the device.

    All other attributes are those of the configuration.
    """

    def __init__(self, batch, device: torch.device):
        self._batch, self._device = batch, device

    def __getattr__(self, name: str):
        return getattr(self._batch, name)

    def draw(self, source, random: StepRandom, stills: bool | None = None) -> tuple[Tensor, Tensor]:
        """As `BatchConfig.draw`."""
        gt, lr = random.drawn if random.drawn is not None else self._batch.draw(source, random, stills)
        return gt.to(self._device, non_blocking=True), lr.to(self._device, non_blocking=True)
