"""Arithmetic and tokens of training steps, for the log's tokens and TFLOP a second."""

from __future__ import annotations

import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from turbovsr.ltx.model import LTXConfig
from turbovsr.train.diffusion import task_of
from turbovsr.train.log import five_digits
from turbovsr.train.ltx.options import Shortcut, TransformerStage
from turbovsr.train.ltx.sharding import meta_model

FORWARD_AND_BACKWARD = 3  # forward passes that both cost together; what checkpointing computes again is not counted
HALF_STEPS = 2  # of the EMA network, for a shortcut example

Shape = tuple[int, int, int]  # latent frames, rows, columns


class Pace:
    """Tokens and TFLOP of the steps since the last line of the log, in all processes.

    Args:
        peak_tflops: TFLOP that all devices together can compute in a second, for the MFU; 0: not logged.
    """

    def __init__(self, config: LTXConfig, stage: TransformerStage, peak_tflops: float = 0.0):
        self.config, self.peak_tflops = config, peak_tflops
        self.bootstrap = stage.bootstrap if isinstance(stage, Shortcut) else 0.0
        self._tflop: dict[Shape, float] = {}  # of a sample
        self._start()

    def _start(self) -> None:
        self.tokens, self.tflop, self.since = 0, 0.0, time.perf_counter()

    def add(self, shape: Shape, samples: int) -> None:
        """Count `samples` samples whose latents have this shape."""
        self.tokens += samples * shape[0] * shape[1] * shape[2]
        if shape not in self._tflop:
            self._tflop[shape] = sample_tflop(self.config, shape, self.bootstrap)
        self.tflop += samples * self._tflop[shape]

    def entries(self) -> dict[str, float]:
        """Entries of the log's next line, for the time since the last one; counting starts again."""
        seconds = max(time.perf_counter() - self.since, 1e-9)  # a coarse clock may give the same time twice
        found = {"tokens/s": round(self.tokens / seconds, 1), "TFLOP/s": five_digits(self.tflop / seconds)}
        if self.peak_tflops:
            found["MFU"] = five_digits(self.tflop / seconds / self.peak_tflops)
        self._start()
        return found


def sample_tflop(config: LTXConfig, shape: Shape, bootstrap: float = 0.0) -> float:
    """TFLOP that one sample costs on average: forward, backward, and the EMA network for the shortcut examples."""
    return forward_tflop(config, shape) * (FORWARD_AND_BACKWARD + HALF_STEPS * bootstrap)


def forward_tflop(config: LTXConfig, shape: Shape) -> float:
    """TFLOP of one forward pass of the transformer, by torch's FLOP counter on tensors without data."""
    model = meta_model(config)
    latent = torch.empty(1, config.latent_channels, *shape, device="meta")
    condition = torch.empty(1, config.condition_channels, *shape, device="meta")
    field = model.velocity(condition, task_of(latent), latent)
    level = torch.empty(1, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        field(latent, level, level)
    return counter.get_total_flops() / 1e12
