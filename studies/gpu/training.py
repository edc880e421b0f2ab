"""One training step at the LTX 2B shape, checkpointed, with random weights and latents: seconds, memory, MFU.

Memory stands beside what `python -m turbovsr.budget --train` predicts. The MFU counts a forward and a backward pass of
the transformer, and the EMA network's half steps, against the matmul ceiling measured on the same card.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import torch

from bench.timing.clock import Stopwatch
from bench.timing.memory import peak_memory
from bench.timing.stats import median
from studies.gpu.machine import ceilings
from studies.gpu.measure import GIB, released
from studies.gpu.record import Record
from turbovsr.ltx.model import LTXConfig
from turbovsr.train.ltx.budget import memory
from turbovsr.train.ltx.latents import Bucket
from turbovsr.train.ltx.loop import ShardedLoop
from turbovsr.train.ltx.loss import LatentLoss
from turbovsr.train.ltx.options import Condition, LTXModelOptions, Shortcut, TransformerStage
from turbovsr.train.ltx.pace import Pace, sample_tflop
from turbovsr.train.ltx.samples import SampleBatch
from turbovsr.train.ltx.sharding import local, process_group, shadow, sharded_model
from turbovsr.train.options import LoopConfig
from turbovsr.train.rng import StepRng

FULL, TINY = ("640x1024x49", "1080x1920x49"), ("32x64x9",)
COLUMNS = {
    "stage": "stage",
    "size": "size",
    "weights": "weights",
    "seconds": "s/step",
    "peak_gib": "GiB",
    "predicted_gib": "predicted",
    "tflop_s": "TFLOP/s",
    "mfu": "MFU",
}


def run(record: Record, device: str, tiny: bool, repeats: int) -> int:
    """Measure a row for each stage and size; returns the exit code."""
    with released(device):
        ceiling = ceilings(device, tiny)["matmul_tflop_s"]
    record.note("matmul_tflop_s", ceiling)
    config = LTXModelOptions(size="2b-tiny" if tiny else "2b").config()
    for size in TINY if tiny else FULL:
        for kind in ("condition", "shortcut"):
            names = {"stage": kind, "size": size, "weights": "random"}
            with released(device):
                record.measure(names, partial(_step, config, kind, Bucket.parse(size), device, repeats, ceiling))
    record.say("\nshortcut: the step is a shortcut example, with two half steps of the EMA weights.")
    record.table(COLUMNS)
    return record.exit_code()


def _step(config: LTXConfig, kind: str, bucket: Bucket, device: str, repeats: int, ceiling: float) -> dict:
    """Measure training steps of one clip each: medians over `repeats` steps after a first one."""
    where = torch.device(device)
    dtype = torch.float32 if where.type == "cpu" else torch.bfloat16
    loop_config = LoopConfig(steps=repeats + 1, learning_rate=1e-5)
    stage: TransformerStage = Condition(kind=kind, loop=loop_config)
    if kind == "shortcut":
        stage = Shortcut(kind=kind, loop=loop_config, bootstrap=1.0)
    with process_group(where), tempfile.TemporaryDirectory() as folder:
        model = sharded_model(config, None, where, dtype)
        with torch.no_grad():
            for value in model.parameters():
                local(value).normal_(std=0.02)
        model.transformer.requires_grad_(True)
        model.transformer.checkpointing = True
        loop = ShardedLoop(model, shadow(model, where, dtype), loop_config, Path(folder), 1, Pace(config, stage))
        loss = LatentLoss(model, stage, dtype)
        seconds, peaks = [], []
        for index in range(repeats + 1):
            watch = Stopwatch(device)
            batch = _batch(config, bucket, kind == "shortcut", index).to(where)
            with peak_memory(device) as peak, watch.total():
                loop._train_step(loss, batch, StepRng(0, index), False)
            seconds.append(watch.seconds()[0])
            peaks.append(peak.mb)
    tflop_s = sample_tflop(config, bucket.latent_shape, kind == "shortcut") / median(seconds[1:])
    return {
        "seconds": median(seconds[1:]),
        "first_call_s": seconds[0],
        "repeats": repeats,
        "peak_gib": max(peaks) / GIB,
        "predicted_gib": sum(memory(config, bucket, 1, 1, checkpointing=True).values()),
        "tflop_s": tflop_s,
        "mfu": tflop_s / ceiling,
    }


def _batch(config: LTXConfig, bucket: Bucket, is_shortcut: bool, seed: int) -> SampleBatch:
    """Make one clip of random latents, another one for each seed."""
    shape = (1, config.latent_channels, *bucket.latent_shape)
    target, condition = torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed))
    return SampleBatch(target, condition, True, (seed,), (is_shortcut,), (is_shortcut,), 1)
