"""Batches that worker processes draw ahead."""

from __future__ import annotations

import gc
import os

from turbovsr.train.batch_loader import load_batches


class Decoder:
    """An object in a cycle, as frames are whose decoder has threads."""

    def __init__(self, freed_in: list[int]):
        self.own, self.freed_in = self, freed_in

    def __del__(self) -> None:
        self.freed_in.append(os.getpid())


def test_no_worker_frees_what_the_training_process_left_to_the_garbage_collector():
    freed_in: list[int] = []

    def draw(rng):
        gc.collect()
        return list(freed_in)

    gc.disable()
    try:
        Decoder(freed_in)
        ((freed, _),) = load_batches(draw, 0, 0, 1, workers=1)
    finally:
        gc.enable()
    assert freed == [os.getpid()]
