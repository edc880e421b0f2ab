"""Timing of one upscaler on clips of one size: medians over rotating inputs, stages, peak memory, throttling."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from bench.timing.clock import Stopwatch
from bench.timing.memory import peak_memory
from bench.timing.stats import median, quartiles
from bench.timing.telemetry import watched

GIB = 1024.0  # MiB
Call = Callable[[Tensor, Callable], Tensor]  # LR clip, stages -> SR clip


def clips(frames: int, height: int, width: int, device: str, count: int = 3) -> list[Tensor]:
    """Make LR clips with motion and texture, uint8 (T, 3, H, W), all different: no timing is of constant input."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for _ in range(count):
        canvas = torch.randint(0, 256, (3, height + frames, width + frames), dtype=torch.uint8, generator=generator)
        made.append(torch.stack([canvas[:, t : t + height, t : t + width] for t in range(frames)]).to(device))
    return made


def timed(call: Call, inputs: Sequence[Tensor], device: str, warmup: int, repeats: int) -> dict:
    """Measure the median time of a call and its stages.

    Returns:
        seconds, quartiles_s, stages_s (of the repetition nearest the median, adding up to its seconds), fps, mpx_s
        (megapixels of output per second), peak_gib, repeats, first_call_s, and throttled (the card's reasons or None).
    """
    runs, peaks, throttled = [], [], set()
    for index in range(warmup + repeats):
        lr = inputs[index % len(inputs)]
        watch, output = Stopwatch(device), None
        with watched(device) as telemetry, peak_memory(device) as peak, torch.inference_mode():
            with watch.total():
                output = call(lr, watch.stage)
        if index == 0:
            first, shape = watch.seconds()[0], output.shape
        if index >= warmup:
            runs.append(watch.seconds())
            peaks.append(peak.mb)
            throttled |= set(telemetry.throttled or ()) if telemetry else set()
        del output
    totals = [total for total, _ in runs]
    seconds = median(totals)
    stages = min(runs, key=lambda run: abs(run[0] - seconds))[1]
    frames, _, height, width = shape
    return {
        "seconds": seconds,
        "fps": frames / seconds,
        "mpx_s": frames * height * width / seconds / 1e6,
        "peak_gib": max(peaks) / GIB,
        "stages_s": stages,
        "quartiles_s": quartiles(totals),
        "repeats": repeats,
        "first_call_s": first,
        "throttled": sorted(throttled) or None,
    }


@contextmanager
def released(device: str) -> Iterator[None]:
    """Release all memory afterwards, so that the next row's peak is its own."""
    try:
        yield
    finally:
        gc.collect()
        if torch.device(device).type == "cuda":
            torch.cuda.empty_cache()
