"""Draw the batches of the next steps in other processes while this step computes.

A batch depends on (seed, step, rank) alone, so nothing changes but the time: each step's `StepRandom` draws its batch
first, and is handed over with its generators in the state that the drawing left them in.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from turbovsr.train.step_random import StepRandom

Draw = Callable[[StepRandom], tuple[Tensor, Tensor]]
FORK = sys.platform == "linux"  # elsewhere it is missing or not to be trusted


class Steps(Dataset):
    """The random numbers of each step, its batch drawn from them."""

    def __init__(self, draw: Draw, seed: int):
        self.draw, self.seed = draw, seed

    @torch.no_grad()
    def __getitem__(self, step: int) -> StepRandom | Exception:
        random = StepRandom(self.seed, step)
        try:
            random.drawn = self.draw(random)
        except (OSError, ValueError) as error:  # raised by the process that trains, or a traceback becomes the message
            return error
        return random


def ahead(draw: Draw, seed: int, first: int, last: int, workers: int) -> Iterator[StepRandom]:
    """The steps' random numbers one after the other, with their batches drawn.

    Args:
        draw: draws the batch of one step, as the step itself would.
        first, last: steps that are drawn, `last` excluded.
        workers: processes, each of which is up to two steps ahead; 0, or not on Linux: this one draws when asked.
    Raises:
        OSError, ValueError: what `draw` raises.
    """
    loader = DataLoader(
        Steps(draw, seed),
        batch_size=None,
        sampler=range(first, last),
        num_workers=workers if FORK else 0,
        multiprocessing_context="fork" if workers and FORK else None,
        worker_init_fn=_settle,
        generator=torch.Generator(),  # not the one that everything else draws from
    )
    for random in loader:
        if isinstance(random, Exception):
            raise random
        yield random


def _settle(worker: int) -> None:
    """In a process of its own: signals are for the one that trains, and OpenCV's threads did not come along."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    cv2.setNumThreads(0)


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
