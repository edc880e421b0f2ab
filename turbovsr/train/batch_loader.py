"""Loading of batches in worker processes while the current step computes.

A batch depends on (seed, step, rank) alone, so workers change nothing but the time. Each step's `StepRng` draws its
batch first and is handed to the loss in the state that the drawing left it in.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Generator
from typing import Any

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from turbovsr.train.rng import StepRng

DrawBatch = Callable[[StepRng], Any]
"""Function that draws the batch of a step; a batch has a length, and `to(device)`."""
CAN_FORK = sys.platform == "linux"  # elsewhere fork is missing or unsafe


class StepDataset(Dataset):
    """Batches by step number, each with the generators that drew it."""

    def __init__(self, draw: DrawBatch, seed: int):
        self.draw, self.seed = draw, seed

    @torch.no_grad()
    def __getitem__(self, step: int) -> tuple[Any, StepRng] | Exception:
        rng = StepRng(self.seed, step)
        try:
            return self.draw(rng), rng
        except (OSError, ValueError) as error:  # the training process raises it: DataLoader would add a traceback
            return error


def load_batches(
    draw: DrawBatch, seed: int, first: int, last: int, workers: int
) -> Generator[tuple[Any, StepRng], None, None]:
    """Yield the batch and the generators of each step from `first` to `last` - 1.

    Args:
        draw: draws the batch of one step.
        workers: processes, each up to two steps ahead; with 0, and outside Linux, this process draws on request.
    Raises:
        OSError, ValueError: raised by `draw`.
    """
    loader = DataLoader(
        StepDataset(draw, seed),
        batch_size=None,
        sampler=range(first, last),
        num_workers=workers if CAN_FORK else 0,
        multiprocessing_context="fork" if workers and CAN_FORK else None,
        worker_init_fn=_initialise_worker,
        generator=torch.Generator(),  # the global generator must not advance
    )
    gc.collect()  # a worker that collected frames of a decoder would wait for its threads, which a fork leaves behind
    try:
        for item in loader:
            if isinstance(item, Exception):
                raise item
            yield item
    except Exception as error:
        # The traceback holds the loader's iterator, which ends the workers when it goes. At the end of the process it
        # would be too late: Python waits for them, and SIGTERM they ignore. A worker's own traceback is in the message.
        raise error.with_traceback(None) from None


def _initialise_worker(worker: int) -> None:
    """Leave signals to the training process, and switch off OpenCV's threads, which do not survive a fork."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    cv2.setNumThreads(0)
