"""Losses between SR and GT frames, and what a training loss returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from turbovsr.model import Model
from turbovsr.rearrange import frames_to_batch
from turbovsr.train.batch import Batch
from turbovsr.train.options import ReconstructionConfig
from turbovsr.train.rng import StepRng


@dataclass(frozen=True)
class LossOutput:
    """Loss of one step.

    Attributes:
        loss: scalar to minimise.
        terms: its parts by name, detached, for the log.
        sr: the SR clips (B, 3, T, H, W) that it was computed from, for an adversarial loss; None: it has none.
    """

    loss: Tensor
    terms: dict[str, Tensor] = field(default_factory=dict)
    sr: Tensor | None = None


class TrainingLoss(Protocol):
    """Loss of a stage: computed from a batch, the generators of the step, and the EMA model."""

    def __call__(self, batch: Batch, rng: StepRng, ema: Model) -> LossOutput: ...


def charbonnier(sr: Tensor, gt: Tensor, eps: float = 1e-3) -> Tensor:
    """Charbonnier distance, a smooth L1: mean of sqrt(difference^2 + eps^2), frames in [-1, 1]."""
    return ((sr - gt).square() + eps**2).sqrt().mean()


class ReconstructionLoss:
    """Distance of SR clips from GT: Charbonnier, LPIPS and DISTS.

    Args:
        config: weights of the terms.
        networks: "lpips" and "dists", each a function of two batches of frames; needed where the weight is not 0.
    """

    def __init__(self, config: ReconstructionConfig, networks: Mapping[str, nn.Module]):
        self.config, self.networks = config, networks

    def __call__(self, sr: Tensor, gt: Tensor, rng: StepRng) -> LossOutput:
        """Compare clips (B, 3, T, H, W) in [-1, 1]."""
        config = self.config
        loss = charbonnier(sr, gt)
        terms = {"pixel": loss.detach()}
        if rng.step >= config.start:
            sr_frames, gt_frames = frames_to_batch(sr), frames_to_batch(gt)
            order = torch.from_numpy(rng.numpy.permutation(len(sr_frames)))
            for name, weight, frames in (
                ("lpips", config.lpips, config.lpips_frames),
                ("dists", config.dists, config.dists_frames),
            ):
                if weight > 0:
                    chosen = order[:frames]
                    distance = self.networks[name](sr_frames[chosen], gt_frames[chosen]).mean()
                    loss = loss + weight * distance
                    terms[name] = distance.detach()
        return LossOutput(loss, terms, sr)
