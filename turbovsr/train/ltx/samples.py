"""The samples of a step, the same for any number of processes.

A step has `images` or `clips` samples in all, numbered from 0. Process r of n takes the samples r, r+n, r+2n, ... and
everything random about a sample comes from the step's seed and its number, so the loss and the weights do not depend
on the number of processes, and a checkpoint can be resumed with another number. Shortcut examples come first: then all
processes ask the EMA network in the same micro-batches, which sharded weights demand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from frames.errors import UserError
from turbovsr.conditioning import trains_first_frame
from turbovsr.geometry import SPATIAL_COMPRESSION, latent_frames
from turbovsr.train.distributed import rank, world_size
from turbovsr.train.ltx.options import LatentStage, Shortcut
from turbovsr.train.rng import StepRng

LARGEST_SEED = 2**62


@dataclass(frozen=True)
class SampleBatch:
    """One process's samples of a step.

    Attributes:
        target: GT latents (b, C, F, h, w); or GT clips (b, 3, T, H, W) in [-1, 1], not yet encoded.
        condition: latents of the enlarged LR clips, of the same shape; or LR clips (b, 3, T, H/4, W/4).
        encoded: whether both are latents.
        seeds: of each sample.
        is_shortcut: of each sample.
        asks_ema: for each micro-batch, whether any process has a shortcut example in it.
        micro_batch: samples that are computed at once.
    """

    target: Tensor
    condition: Tensor
    encoded: bool
    seeds: tuple[int, ...]
    is_shortcut: tuple[bool, ...]
    asks_ema: tuple[bool, ...]
    micro_batch: int

    def __len__(self) -> int:
        return len(self.seeds)

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns of the latents."""
        frames, height, width = self.target.shape[2:]
        if self.encoded:
            return frames, height, width
        return latent_frames(frames), height // SPATIAL_COMPRESSION, width // SPATIAL_COMPRESSION

    def to(self, device: torch.device) -> SampleBatch:
        return replace(
            self,
            target=self.target.to(device, non_blocking=True),
            condition=self.condition.to(device, non_blocking=True),
        )

    def split(self) -> list[SampleBatch]:
        """Split the samples into micro-batches."""
        starts = range(0, len(self), self.micro_batch)
        parts = [slice(first, first + self.micro_batch) for first in starts]
        return [
            replace(
                self,
                target=self.target[part],
                condition=self.condition[part],
                seeds=self.seeds[part],
                is_shortcut=self.is_shortcut[part],
                asks_ema=(self.asks_ema[index],),
            )
            for index, part in enumerate(parts)
        ]


class SampleSource(Protocol):
    """Training material."""

    encoded: bool

    def bucket(self, rng: np.random.Generator, stills: bool) -> str:
        """Draw the size of all samples of a step, by name."""
        ...

    def sample(self, rng: np.random.Generator, bucket: str, stills: bool) -> tuple[Tensor, Tensor]:
        """Draw a sample: `target` and `condition` of `SampleBatch`, without the batch dimension."""
        ...


def draw_step(stage: LatentStage, source: SampleSource, rng: StepRng) -> SampleBatch:
    """Draw this process's samples of a step: stills in even steps, clips in odd ones, or clips in all."""
    stills = stage.stills and trains_first_frame(rng.step)
    count = stage.batch.images if stills else stage.batch.clips
    bucket = source.bucket(rng.shared, stills)
    base = int(rng.shared.integers(LARGEST_SEED))
    share = stage.bootstrap if isinstance(stage, Shortcut) else 0.0
    shortcuts = int(share * count + rng.shared.random())
    own = range(rank(), count, world_size())
    drawn = [source.sample(np.random.default_rng([base, number]), bucket, stills) for number in own]
    target, condition = (torch.stack(values) for values in zip(*drawn))
    return SampleBatch(
        target=target,
        condition=condition,
        encoded=source.encoded,
        seeds=tuple(seed_of(base, number) for number in own),
        is_shortcut=tuple(number < shortcuts for number in own),
        asks_ema=tuple(world_size() * first < shortcuts for first in range(0, len(own), stage.micro_batch)),
        micro_batch=stage.micro_batch,
    )


def seed_of(base: int, number: int) -> int:
    """Seed of a sample's noise and noise level."""
    return int(np.random.default_rng([base, number, 1]).integers(LARGEST_SEED))


def check_batch(stage: LatentStage) -> None:
    """Raise `UserError` for batches that the processes cannot share evenly."""
    at_once = world_size() * stage.micro_batch
    for name in ("images", "clips"):
        count = getattr(stage.batch, name)
        if count % at_once:
            raise UserError(
                f"batch.{name}={count} samples a step do not divide into {world_size()} processes with micro_batch="
                f"{stage.micro_batch}: use a multiple of {at_once}, or a smaller micro_batch"
            )
