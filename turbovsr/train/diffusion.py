"""Stage B: the transformer, trained on the latents of a fixed encoder by flow matching and shortcut examples."""

from __future__ import annotations

import torch
from torch import Tensor

from turbovsr.conditioning import Task, clip_task, first_frame_task
from turbovsr.model import Model
from turbovsr.shortcut import training_targets
from turbovsr.train.batch import Batch
from turbovsr.train.losses import LossOutput
from turbovsr.train.options import Diffusion, Joint
from turbovsr.train.rng import StepRng


class FlowLoss:
    """Mean squared error over the generated tokens, of flow and shortcut examples in one batch.

    It is the error of the velocity, or that of the sample where the network predicts samples: the velocity's error is
    the sample's divided by sigma, so the last steps would count hundreds of times as much as the first, which is the
    only one that one-step sampling takes. The given frame gets some noise, because at inference it is a sample too.

    Args:
        model: its projection and transformer are used.
        stage: `bootstrap`, the share of shortcut examples, and `latent_noise_std`, of the given frame.
    """

    def __init__(self, model: Model, stage: Diffusion | Joint):
        self.model, self.stage = model, stage

    def __call__(self, batch: Batch, latent: Tensor, condition: Tensor, rng: StepRng, ema: Model) -> Tensor:
        """Error for the GT latents (B, C, T', h, w) of a batch under their condition."""
        config, task = self.model.config, task_of(latent)
        strength = torch.rand(len(latent), 1, 1, 1, 1, generator=rng.torch).to(latent) * self.stage.latent_noise_std
        given = latent + strength * rng.normal(latent)

        def ema_velocity(chosen: Tensor):
            return ema.velocity(ema.projection(batch.lr[chosen]), task, given[chosen])

        x, sigma, step_size, target = training_targets(
            ema_velocity,
            latent,
            rng.normal(latent),
            config.finest_steps,
            self.stage.bootstrap,
            config.shift_strength,
            rng.torch,
        )
        error = self.model.velocity(condition, task, given)(x, sigma, step_size) - target
        if config.prediction_type == "sample":
            error = error * sigma.view(-1, 1, 1, 1, 1)
        return error[:, :, task.given :].square().mean()


class DiffusionLoss:
    """Flow loss on the encoder's latents.

    Args:
        model: encoder, projection and transformer are used.
        stage: see `FlowLoss`; `condition_dropout`.
    """

    def __init__(self, model: Model, stage: Diffusion):
        self.model, self.stage, self.flow = model, stage, FlowLoss(model, stage)

    def __call__(self, batch: Batch, rng: StepRng, ema: Model) -> LossOutput:
        latent = self.model.encoder(batch.gt)
        condition = dropout(self.model.projection(batch.lr), self.stage.condition_dropout, rng)
        loss = self.flow(batch, latent, condition, rng, ema)
        name = "task 1" if task_of(latent).given == 0 else "task 2"
        return LossOutput(loss, {name: loss.detach()})


def task_of(latent: Tensor) -> Task:
    """The first frame's task for latents of stills, the clip's task for others."""
    return first_frame_task() if latent.shape[2] == 1 else clip_task(latent.shape[2])


def dropout(condition: Tensor, probability: float, rng: StepRng) -> Tensor:
    """Drop out values by the step's own random numbers. Without it a large transformer memorises a few photographs."""
    if not probability:
        return condition
    kept = torch.rand(condition.shape, generator=rng.torch) >= probability
    return condition * (kept / (1 - probability)).to(condition)
