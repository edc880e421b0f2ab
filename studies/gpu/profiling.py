"""The top ten kernels of the slowest stage, or of a chosen one."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial

import torch
from torch.profiler import ProfilerActivity, profile

from studies.gpu.cases import FULL, PATHS, SCALE, TINY, Sizes, turbovsr
from studies.gpu.machine import synchronize
from studies.gpu.measure import clips, released, timed
from studies.gpu.record import Record

TOP = 10


def run(record: Record, device: str, tiny: bool, compiled: bool, stage: str | None = None) -> int:
    """Profile a stage of both paths; returns the exit code."""
    sizes = TINY if tiny else FULL
    for path in PATHS:
        names = {"path": path, "mode": "compiled" if compiled else "eager", "weights": "random"}
        with released(device):
            record.measure(names, partial(_profiled, sizes, path, device, compiled, stage))
    record.say("")
    record.table({"path": "path", "mode": "mode", "stage": "stage", "stage_s": "s", "seconds": "of s"})
    for row in record.rows:
        if "kernels" in row:
            record.say(f"\n{row['path']}, {row['stage']}: top {len(row['kernels'])} kernels by time of their own")
            record.table({"ms": "ms", "share": "share", "calls": "calls", "kernel": "kernel"}, row["kernels"])
    return record.exit_code()


def _profiled(sizes: Sizes, path: str, device: str, compiled: bool, stage: str | None) -> dict:
    frames, height, width = sizes.clip
    model = turbovsr(sizes.model, path, device, height, width, frames, compiled)
    inputs = clips(frames, height // SCALE, width // SCALE, device)
    usual = timed(model.upscale, inputs, device, warmup=2, repeats=3)
    stage = stage or max(usual["stages_s"], key=usual["stages_s"].get)
    seen = []

    @contextmanager
    def stages(name: str):
        if name != stage:
            yield
            return
        with profile(activities=_activities(device)) as profiler:
            yield
            synchronize(device)
        seen.append(profiler.key_averages())

    model.upscale(inputs[0], stages)
    kernels = [] if not seen else _top(seen[-1], device)
    return {"stage": stage, "stage_s": usual["stages_s"][stage], "seconds": usual["seconds"], "kernels": kernels}


def _activities(device: str) -> list[ProfilerActivity]:
    on_gpu = torch.device(device).type == "cuda"
    return [ProfilerActivity.CPU, ProfilerActivity.CUDA] if on_gpu else [ProfilerActivity.CPU]


def _top(averages, device: str) -> list[dict]:
    """Name, milliseconds, share and calls of the kernels that take longest; on a CPU, of torch's operations."""
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:  # operations would count their kernels' time once more
        averages = [event for event in averages if event.device_type == torch.autograd.DeviceType.CUDA]
    own = (lambda event: event.self_device_time_total) if on_gpu else (lambda event: event.self_cpu_time_total)
    total = sum(map(own, averages)) or 1
    longest = sorted(averages, key=own, reverse=True)[:TOP]
    return [
        {"kernel": event.key[:120], "ms": own(event) / 1e3, "share": own(event) / total, "calls": event.count}
        for event in longest
    ]
