"""Stages B and C: the transformer on frozen latents, then transformer and decoder together.

B trains flow and shortcut by regression on the encoder's latents, the two tasks in turn. C keeps doing so, and besides
decodes what the generator samples and carries the picture loss back through decoder and sampler: the decoder learns to
live with sampled latents, and the generator learns which of their errors can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from turbovsr.conditioning import Task, clip_task, first_frame_task, trains_first_frame
from turbovsr.shortcut import training_targets
from turbovsr.train.autoencoding import BatchConfig
from turbovsr.train.data import ClipSource
from turbovsr.train.losses import PictureLoss
from turbovsr.train.step_random import StepRandom


@dataclass(frozen=True, kw_only=True)
class MixConfig:
    """What the decoder is given in stage C, as shares of the clips; the rest gets a sampled latent."""

    oracle: float = 0.2
    none: float = 0.15
    several_steps: float = 0.3  # how often a latent is sampled in 2 or 4 steps instead of one
    flow_weight: float = 0.03  # of the regression loss beside the picture loss


def flow_loss(
    model: nn.Module,
    ema: nn.Module,
    task: Task,
    lr: Tensor,
    condition: Tensor,
    x0: Tensor,
    bootstrap: float,
    given_noise: float,
    random: StepRandom,
) -> Tensor:
    """Mean squared error over the generated tokens: flow examples and shortcut examples in one batch.

    Of the velocity, or of the sample where the network predicts that: the velocity's error is the sample's divided by
    sigma, so that the last steps would count hundreds of times as much as the first, which is all that one step takes.
    The given frame is blurred by some noise, for at inference it is a sample, not the truth.
    """
    config = model.config
    strength = torch.rand(len(x0), 1, 1, 1, 1, generator=random.torch).to(x0) * given_noise
    clean = x0 + strength * random.normal(x0)

    def ema_velocity(chosen: Tensor):
        return ema.velocity(ema.projection(lr[chosen]), task, clean[chosen])

    x, sigma, step_size, target = training_targets(
        ema_velocity, x0, random.normal(x0), config.finest_steps, bootstrap, config.shift_strength, random.torch
    )
    velocity = model.velocity(condition, task, clean)(x, sigma, step_size)
    error = velocity - target
    if config.prediction_type == "sample":
        error = error * sigma.view(-1, 1, 1, 1, 1)
    return error[:, :, task.given :].square().mean()


def forgotten(condition: Tensor, share: float, random: StepRandom) -> Tensor:
    """Dropout by this step's own random numbers: a large transformer learns few photographs by heart otherwise."""
    if not share:
        return condition
    kept = torch.rand(condition.shape, generator=random.torch) >= share
    return condition * (kept / (1 - share)).to(condition)


def diffusion_losses(
    model: nn.Module,
    ema: nn.Module,
    source: ClipSource,
    batch: BatchConfig,
    bootstrap: float,
    given_noise: float,
    random: StepRandom,
    forget: float = 0.0,
) -> dict[str, Tensor]:
    """Stage B, one step."""
    gt, lr = batch.draw(source, random, trains_first_frame(random.step))
    x0 = model.encoder(gt)
    task = first_frame_task() if x0.shape[2] == 1 else clip_task(x0.shape[2])
    condition = forgotten(model.projection(lr), forget, random)
    loss = flow_loss(model, ema, task, lr, condition, x0, bootstrap, given_noise, random)
    return {"loss": loss, "task 1" if task.given == 0 else "task 2": 2 * loss.detach()}


def joint_losses(
    model: nn.Module,
    ema: nn.Module,
    source: ClipSource,
    picture: PictureLoss,
    batch: BatchConfig,
    bootstrap: float,
    given_noise: float,
    mix: MixConfig,
    random: StepRandom,
    forget: float = 0.0,
) -> dict[str, Tensor]:
    """Stage C, one step."""
    gt, lr = batch.draw(source, random, trains_first_frame(random.step))
    x0 = model.encoder(gt)
    condition = forgotten(model.projection(lr), forget, random)
    steps = 1
    if random.shared.random() < mix.several_steps:
        steps = int(random.shared.choice([2, 4]))
    noise = random.normal(x0)
    first = model.sample_first(condition, noise, steps)
    if x0.shape[2] > 1 and random.shared.random() < 0.5:
        first = model.encoder(gt[:, :, :1])  # half the clips continue from a good frame: later chunks do, too
    sampled = model.sample_rest(condition, first, noise, steps)
    kind = torch.rand(len(gt), generator=random.torch).to(gt)
    is_oracle = (kind < mix.oracle).view(-1, 1, 1, 1, 1)
    strength = torch.rand(len(x0), 1, 1, 1, 1, generator=random.torch).to(x0) * given_noise
    latent = torch.where(is_oracle, x0 + strength * random.normal(x0), sampled)
    keep = kind < 1 - mix.none
    sr = model.decoder(lr, latent, keep)
    terms = picture(sr, gt, random)
    task = first_frame_task() if x0.shape[2] == 1 else clip_task(x0.shape[2])
    flow = flow_loss(model, ema, task, lr, condition, x0, bootstrap, given_noise, random)
    return terms | {"loss": terms["loss"] + mix.flow_weight * flow, "flow": flow.detach()}
