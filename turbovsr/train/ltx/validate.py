"""Validation in LTX's latent space: held-out clips through condition, sampler and decoder, as in the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from frames.bicubic import bicubic
from turbovsr.conditioning import Task
from turbovsr.ltx.model import LTXModel
from turbovsr.rearrange import batch_to_frames, frames_to_batch
from turbovsr.shortcut import sample
from turbovsr.train.ltx.options import LTXTrainConfig
from turbovsr.train.validate import Validation, held_out_clips

STEPS = (1, 2, 4)
SEED = 0  # of the noise


def outputs(model: LTXModel, lr: Tensor, gt: Tensor, first_given: bool = True) -> dict[str, Tensor]:
    """SR clips by name: the bicubic enlargement, GT encoded and decoded, and clips sampled in 1, 2 and 4 steps.

    Args:
        first_given: sample the first frame, then the clip given that, as the pipeline does; otherwise all at once.
    """
    base = batch_to_frames(bicubic(frames_to_batch(lr), (gt.shape[-2], gt.shape[-1])), len(gt))
    condition = model.condition(lr)
    noise = torch.randn(condition.shape, generator=torch.Generator().manual_seed(SEED)).to(condition)
    found = {"bicubic": base, "autoencoder": decoded(model, lr, model.encode(gt))}
    for steps in STEPS:
        if first_given:
            first = model.sample_first(condition, noise, steps)
            latent = model.sample_rest(condition, first.to(noise), noise, steps)
        else:
            field = model.velocity(condition, Task(frames=condition.shape[2], given=0))
            latent = sample(field, noise, steps, model.config.shift_strength)
        found[f"{steps} steps"] = decoded(model, lr, latent)
    return found


def decoded(model: LTXModel, lr: Tensor, latent: Tensor) -> Tensor:
    """Decode a latent to a clip (1, 3, T, H, W) in [-1, 1]."""
    frames = list(model.decode_frames(lr, latent.to(model.autoencoder.mean.dtype)))
    return torch.stack(frames, dim=1).unsqueeze(0).float().clamp(-1, 1)


def build_validation(
    config: LTXTrainConfig,
    networks: Mapping[str, nn.Module],
    device: torch.device,
    model_of: Callable[[Any], LTXModel] = lambda model: model,
    first_given: bool = True,
) -> Validation | None:
    """Validation on the held-out clips; None if there are none.

    Args:
        model_of: from what the loop trains to a model.
        first_given: as for `outputs`.
    """
    clips, pictured = held_out_clips(config)

    def outputs_of(trained: Any, lr: Tensor, gt: Tensor) -> dict[str, Tensor]:
        return outputs(model_of(trained), lr, gt, first_given)

    return Validation(clips, pictured, networks, outputs_of, device) if clips else None
