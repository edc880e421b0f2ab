"""Losses of the transformer on latents: flow matching, and the conversion to a shortcut model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from turbovsr.conditioning import Task
from turbovsr.ltx.model import LTXModel
from turbovsr.shortcut import add_noise, bootstrap_target, shift
from turbovsr.train.diffusion import task_of
from turbovsr.train.ltx.noise_levels import draw_flow_level, draw_grid_step
from turbovsr.train.ltx.options import Condition, TransformerStage
from turbovsr.train.ltx.samples import SampleBatch

TERMS = ("task 1", "task 1 shortcut", "task 2", "task 2 shortcut")  # of the log


@dataclass(frozen=True)
class Examples:
    """Noise, given frames and steps that are drawn for a micro-batch; the last three are (b,)."""

    noise: Tensor  # (b, C, F, h, w)
    given: Tensor  # (b, C, F, h, w), of which the task's given frames are used
    u: Tensor  # start of the step in warped time; not used in the stage `condition`
    sigma: Tensor  # noise level
    steps: Tensor  # number of steps of the sampler that takes the step


class LatentLoss:
    """Mean squared error of the velocity over the generated tokens of each sample.

    Args:
        model: its transformer is trained; its autoencoder encodes what comes as clips.
        stage: `first_given` and `latent_noise_std`, of the given frame, which at inference is a sample;
            `uniform_levels` and `conditioned`, or `bootstrap`.
        dtype: the transformer computes in it; noise, targets and errors are float32.
    """

    def __init__(self, model: LTXModel, stage: TransformerStage, dtype: torch.dtype):
        self.model, self.stage, self.dtype = model, stage, dtype

    def __call__(self, batch: SampleBatch, ema: LTXModel) -> Tensor:
        """Errors of the samples of a micro-batch, (b,)."""
        latent, condition = self.encoded(batch)
        task = self.task(latent)
        examples = self._draw(batch, latent)
        x = add_noise(latent, examples.noise, examples.sigma)
        target = examples.noise - latent
        if any(batch.asks_ema):
            target = self._with_shortcuts(target, x, condition, examples, batch, ema)
        field = self.model.velocity(condition, task, examples.given)
        error = field(x, examples.sigma, 1 / examples.steps).float() - target
        return error[:, :, task.given :].square().flatten(1).mean(dim=1)

    def task(self, latent: Tensor) -> Task:
        """Task that latents of this length train."""
        return task_of(latent) if self.stage.first_given else Task(frames=latent.shape[2], given=0)

    @torch.no_grad()
    def encoded(self, batch: SampleBatch) -> tuple[Tensor, Tensor]:
        """GT latents in float32 and the condition in the networks' type."""
        target, condition = batch.target, batch.condition
        if not batch.encoded:
            target, condition = self.model.encode(target), self.model.condition(condition)
        if isinstance(self.stage, Condition) and not self.stage.conditioned:
            condition = torch.zeros_like(condition)
        return target.float(), condition.to(self.dtype)

    def _draw(self, batch: SampleBatch, latent: Tensor) -> Examples:
        """Noise and levels, each sample's from its own seed."""
        config, tokens = self.model.config, latent[0, 0].numel()
        rows = []
        for seed, is_shortcut in zip(batch.seeds, batch.is_shortcut):
            random = torch.Generator().manual_seed(seed)
            if isinstance(self.stage, Condition):
                steps, u = torch.tensor(float(config.finest_steps)), torch.tensor(1.0)
                sigma = draw_flow_level(tokens, self.stage.uniform_levels, random)
            else:
                steps, u = draw_grid_step(config.finest_steps, is_shortcut, random)
                sigma = shift(u, config.shift_strength)
            strength = torch.rand((), generator=random) * self.stage.latent_noise_std
            noise, on_given = torch.randn(2, *latent.shape[1:], generator=random)
            rows.append((noise, strength * on_given, u, sigma, steps))
        noise, on_given, u, sigma, steps = (torch.stack(values).to(latent.device) for values in zip(*rows))
        return Examples(noise, latent + on_given, u, sigma, steps)

    def _with_shortcuts(
        self, target: Tensor, x: Tensor, condition: Tensor, examples: Examples, batch: SampleBatch, ema: LTXModel
    ) -> Tensor:
        """Replace the targets of shortcut examples by the EMA network's two half steps.

        A process without such examples computes them for its first sample and drops them, because all processes must
        gather the sharded weights.
        """
        chosen = torch.tensor(batch.is_shortcut, device=x.device).nonzero().flatten()
        asked = chosen if len(chosen) else torch.zeros(1, dtype=torch.long, device=x.device)
        field = ema.velocity(condition[asked], self.task(x), examples.given[asked])
        strength = self.model.config.shift_strength
        halves = bootstrap_target(field, x[asked], examples.u[asked], examples.steps[asked], strength)
        return target.index_copy(0, chosen, halves[: len(chosen)].float())


def terms_of(batch: SampleBatch) -> list[str]:
    """Name of the log's term to which each sample's error belongs."""
    task = "task 1" if batch.latent_shape[0] == 1 else "task 2"
    return [f"{task} shortcut" if is_shortcut else task for is_shortcut in batch.is_shortcut]
