"""A transformer that carries out the two tasks: what every path and size of TurboVSR has in common."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor, nn

from turbovsr.conditioning import Task, clip_task, first_frame_task
from turbovsr.shortcut import Velocity, sample
from turbovsr.transformer import Transformer

PREDICTION_TYPES = ("sample", "velocity")


def check_config(config: Any) -> None:
    """Refuse options of the transformer and the sampler that no network can have.

    Raises:
        ValueError: one line with the option.
    """
    if config.prediction_type not in PREDICTION_TYPES:
        known = ", ".join(PREDICTION_TYPES)
        raise ValueError(f"unknown prediction_type {config.prediction_type}: choose one of {known}")
    if config.transformer_heads < 1 or config.transformer_width % config.transformer_heads:
        heads = config.transformer_heads
        raise ValueError(f"transformer_width={config.transformer_width} does not divide into {heads} heads")
    if config.finest_steps < 1 or config.finest_steps & (config.finest_steps - 1):
        raise ValueError(f"finest_steps must be a power of two, got {config.finest_steps}")
    if not 0 < config.shift_strength < math.inf:
        raise ValueError(f"shift_strength must be above 0, got {config.shift_strength}")


class Generator(nn.Module):
    """Sampling of latents; subclasses add `condition`, `encode` and `decode_frames`, which differ by path.

    A subclass sets `transformer` and `config`, whose shift_strength is that of the time grid the weights know, and
    `prompt` (1, L, text channels), the one fixed text, where the transformer has a text branch. What the transformer
    says is `config.prediction_type`: the velocity, as in LTX, or the sample D that the step leads towards, of which the velocity is
    (x - D) / sigma. A sample spares a small network to pass noise on unharmed: a single step from pure noise is D
    itself (after Li and He, "Back to Basics", arXiv 2511.13720). What it is shown of x is scaled by 1 - sigma, the share
    of the data in it: pure noise tells nothing, and one step does not depend on it.
    """

    transformer: Transformer
    prompt: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("prompt", None)

    def velocity(self, condition: Tensor, task: Task, clean: Tensor | None = None) -> Velocity:
        """The velocity field of one task: condition (B, Cc, F, h, w), `clean` holds the task's given latent frames.

        Given frames are put in before each call and have velocity zero, so a sampler leaves them alone.
        """
        condition = condition[:, :, : task.frames]
        text = None if self.prompt is None else self.prompt.expand(len(condition), -1, -1)
        generated = task.generated.to(condition.device).view(1, 1, -1, 1, 1)

        def field(x: Tensor, sigma: Tensor, step_size: Tensor) -> Tensor:
            if task.given:
                x = task.insert_given(x, clean)
            times = task.times(sigma)
            predicts_sample = self.config.prediction_type == "sample"
            shown = x * (1 - times).unsqueeze(1) if predicts_sample else x  # (B, 1, F, 1, 1)
            velocity = self.transformer(shown.to(condition.dtype), condition, times, step_size, text)
            if predicts_sample:
                velocity = (x - velocity) / sigma.view(-1, 1, 1, 1, 1)  # in float32, as sigma is
            return velocity * generated.to(velocity.dtype)

        return field

    def sample_first(self, condition: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Task 1: the latent of the first frame, (B, C, 1, h, w), from the first frame of the noise."""
        field = self.velocity(condition, first_frame_task())
        return sample(field, noise[:, :, :1], steps, self.config.shift_strength)

    def sample_rest(self, condition: Tensor, first: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Task 2: the latent of the clip, (B, C, F, h, w), given that of its first frame; an image is done already."""
        frames = condition.shape[2]
        if frames == 1:
            return first
        task = clip_task(frames)
        latent = sample(self.velocity(condition, task, first), noise, steps, self.config.shift_strength)
        return task.insert_given(latent, first)
