"""Batches that worker processes draw ahead."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

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


FAILING = """
from turbovsr.train.batch_loader import load_batches

def draw(rng):
    if rng.step == 1:
        raise RuntimeError("nothing to draw")
    return [rng.step]

try:
    list(load_batches(draw, 0, 0, 9, workers=2))
except RuntimeError as error:
    kept = error
    print(str(error).splitlines()[-1])
"""


def test_a_process_whose_worker_failed_ends_although_workers_ignore_sigterm():
    ended = subprocess.run([sys.executable, "-c", FAILING], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0 and ended.stdout == "RuntimeError: nothing to draw\n", ended.stderr[-2000:]
