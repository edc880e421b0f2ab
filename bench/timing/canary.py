"""A fixed small job whose time tells how fast a machine is now; it compares workers, never methods."""

from __future__ import annotations

import torch

from bench.timing.clock import Stopwatch

REPEATS = 9


def canary(device: str) -> float:
    """Seconds of the job: three convolutions of 64 channels on a 128x128 frame, float32; the fastest of `REPEATS`.

    The fastest tells most of the machine itself, because other processes can only slow the job down.
    """
    generator = torch.Generator().manual_seed(0)
    frame = torch.rand(1, 64, 128, 128, generator=generator).to(device)
    kernel = torch.rand(64, 64, 3, 3, generator=generator).to(device)
    watch, best = Stopwatch(device), float("inf")
    with torch.inference_mode():
        for index in range(REPEATS + 1):
            with watch.total():
                for _ in range(3):
                    torch.nn.functional.conv2d(frame, kernel, padding=1)
            if index:  # the first one warms up
                best = min(best, watch.seconds()[0])
    return best
