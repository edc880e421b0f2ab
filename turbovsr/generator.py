"""The base of every model: a transformer that samples latents for the two tasks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

from torch import Tensor, nn

from turbovsr.conditioning import Task, clip_task, first_frame_task
from turbovsr.geometry import CELL
from turbovsr.shortcut import Velocity, sample
from turbovsr.transformer import Transformer

PREDICTION_TYPES = ("sample", "velocity")


class SamplerConfig(Protocol):
    """The options that every model's configuration has."""

    @property
    def latent_channels(self) -> int: ...
    @property
    def condition_channels(self) -> int: ...
    @property
    def transformer_width(self) -> int: ...
    @property
    def transformer_depth(self) -> int: ...
    @property
    def transformer_heads(self) -> int: ...
    @property
    def prediction_type(self) -> str: ...
    @property
    def attention_window(self) -> int | None: ...
    @property
    def finest_steps(self) -> int: ...
    @property
    def shift_strength(self) -> float: ...


def check_config(config: SamplerConfig) -> None:
    """Check the options of the transformer and the sampler.

    Raises:
        ValueError: a value that no network can have; one line that names the option.
    """
    if config.prediction_type not in PREDICTION_TYPES:
        known = ", ".join(PREDICTION_TYPES)
        raise ValueError(f"unknown prediction_type {config.prediction_type}: choose one of {known}")
    if config.transformer_heads < 1 or config.transformer_width % config.transformer_heads:
        heads = config.transformer_heads
        raise ValueError(f"transformer_width={config.transformer_width} does not divide into {heads} heads")
    if config.transformer_width < 2 or config.transformer_width % 2:
        width = config.transformer_width
        raise ValueError(f"transformer_width={width}: its channels are rotated in pairs, give an even number above 0")
    if config.attention_window is not None and config.attention_window < 1:
        raise ValueError(f"attention_window={config.attention_window}: at least 1 token, or none for the whole clip")
    if config.finest_steps < 1 or config.finest_steps & (config.finest_steps - 1):
        raise ValueError(f"finest_steps must be a power of two, got {config.finest_steps}")
    if not 0 < config.shift_strength < math.inf:
        raise ValueError(f"shift_strength must be above 0, got {config.shift_strength}")


def transformer_of(config: SamplerConfig, **variant: Any) -> Transformer:
    """Build the transformer of a model's configuration; `variant`: the other arguments of `Transformer`."""
    return Transformer(
        config.latent_channels,
        config.condition_channels,
        config.transformer_width,
        config.transformer_depth,
        config.transformer_heads,
        config.attention_window,
        **variant,
    )


class Generator(nn.Module, ABC):
    """Sampling of latents; subclasses add encoding, the condition and decoding, which differ by path.

    A subclass sets `kind`, `config`, `transformer` and, where the transformer has a text branch, `prompt`
    (1, L, text channels), the one fixed text.

    The network predicts `config.prediction_type`: the velocity, as in LTX, or the sample D at the end of the step, from
    which the velocity is (x - D) / sigma. Predicting the sample, a small network need not reproduce the noise, and a
    single step from pure noise gives D itself (after Li and He, "Back to Basics", arXiv 2511.13720). Its input x is
    then scaled by 1 - sigma, the share of the data in it, so that one step does not depend on the noise.
    """

    kind: str
    # Whether `decode_frames` keeps little in memory from one frame to the next. If so, it and `condition` also take
    # pixels, uint8 or uint16, and convert them as they are used.
    decodes_frame_by_frame = True
    # Of this the LR size is a multiple where frames are decoded without a latent; with one, of CELL.
    multiple_without_latent = CELL
    config: SamplerConfig
    transformer: Transformer
    prompt: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("prompt", None)

    @abstractmethod
    def encode(self, hr: Tensor) -> Tensor:
        """Latent (B, C, 1+k, H/32, W/32) of an HR clip (B, 3, 1+8k, H, W) in [-1, 1]."""

    @abstractmethod
    def condition(self, lr: Tensor) -> Tensor:
        """Condition of the transformer, (B, Cc, 1+k, h/8, w/8), of a prepared LR clip (B, 3, 1+8k, h, w) in [-1, 1]."""

    @abstractmethod
    def decode_frames(self, lr: Tensor, latent: Tensor | None) -> Iterator[Tensor]:
        """SR frames (3, 4h, 4w) of one prepared clip, in order, each as soon as it is finished."""

    @abstractmethod
    def prepare(self, compile: bool = False) -> None:
        """Choose memory layouts for inference; `compile` for speed at the cost of a slow first call."""

    def velocity(self, condition: Tensor, task: Task, clean: Tensor | None = None) -> Velocity:
        """The velocity field of one task.

        Args:
            condition: (B, Cc, F, h, w); the first `task.frames` latent frames are used.
            clean: (B, C, F', h, w) with the task's given latent frames first. They replace those of x before each call
                and have velocity zero, so a sampler leaves them alone.
        """
        condition = condition[:, :, : task.frames]
        text = None if self.prompt is None else self.prompt.expand(len(condition), -1, -1)
        generated = task.generated.to(condition.device).view(1, 1, -1, 1, 1)
        predicts_sample = self.config.prediction_type == "sample"

        def field(x: Tensor, sigma: Tensor, step_size: Tensor) -> Tensor:
            if task.given and clean is not None:
                x = task.insert_given(x, clean)
            times = task.times(sigma)
            scaled = x * (1 - times).unsqueeze(1) if predicts_sample else x  # (B, 1, F, 1, 1)
            velocity = self.transformer(scaled.to(condition.dtype), condition, times, step_size, text)
            if predicts_sample:
                velocity = (x - velocity) / sigma.view(-1, 1, 1, 1, 1)  # in float32, as sigma is
            return velocity * generated.to(velocity.dtype)

        return field

    def sample_first(self, condition: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Task 1: the latent of the first frame, (B, C, 1, h, w), from the first latent frame of the noise."""
        field = self.velocity(condition, first_frame_task())
        return sample(field, noise[:, :, :1], steps, self.config.shift_strength)

    def sample_rest(self, condition: Tensor, first: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Task 2: the latent of the clip, (B, C, F, h, w), given that of its first frame; for an image `first`."""
        frames = condition.shape[2]
        if frames == 1:
            return first
        task = clip_task(frames)
        latent = sample(self.velocity(condition, task, first), noise, steps, self.config.shift_strength)
        return task.insert_given(latent, first)
