"""TurboVSR's networks under one roof, and the sizes they come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

from torch import Tensor, nn

from turbovsr.autoencoder import Encoder
from turbovsr.conditioning import LRProjection, Task, clip_task, first_frame_task
from turbovsr.decoder import Decoder
from turbovsr.shortcut import Velocity, sample
from turbovsr.transformer import Transformer


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Widths and depths; the defaults are `nano`, which is trained and shipped.

    finest_steps and shift_strength belong to the shortcut's time grid: the weights know no other.
    """

    latent_channels: int = 128
    encoder_widths: tuple[int, int, int, int] = (32, 64, 128, 192)
    decoder_widths: tuple[int, int, int] = (64, 96, 128)
    decoder_head_width: int = 24
    decoder_down_blocks: tuple[int, int, int] = (1, 1, 1)
    decoder_up_blocks: tuple[int, int] = (1, 1)
    condition_channels: int = 128
    transformer_width: int = 192
    transformer_depth: int = 4
    transformer_heads: int = 6
    attention_window: int | None = 8
    finest_steps: int = 16
    shift_strength: float = 2.0


class Model(nn.Module):
    """All parts that are trained; `turbovsr.pipeline` runs them."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.latent_channels, config.encoder_widths)
        self.decoder = Decoder(
            config.latent_channels,
            config.decoder_widths,
            config.decoder_head_width,
            config.decoder_down_blocks,
            config.decoder_up_blocks,
        )
        self.projection = LRProjection(config.condition_channels)
        self.transformer = Transformer(
            config.latent_channels,
            config.condition_channels,
            config.transformer_width,
            config.transformer_depth,
            config.transformer_heads,
            config.attention_window,
        )

    def encode(self, hr: Tensor) -> Tensor:
        """HR clip (B, 3, 1+8k, H, W) in [-1, 1] -> its latent (B, C, 1+k, H/32, W/32)."""
        return self.encoder(hr)

    def condition(self, lr: Tensor) -> Tensor:
        """Prepared LR clip (B, 3, 1+8k, h, w) in [-1, 1] -> what the transformer is told, (B, Cc, 1+k, h/8, w/8)."""
        return self.projection(lr)

    def decode_frames(self, lr: Tensor, latent: Tensor | None) -> Iterator[Tensor]:
        """SR frames (3, 4h, 4w) of one prepared clip, handed out in order as they are finished."""
        return self.decoder.frames(lr, latent)

    def velocity(self, condition: Tensor, task: Task, clean: Tensor | None = None) -> Velocity:
        """The velocity field of one task: condition (B, Cc, F, h, w), `clean` holds the task's given latent frames.

        Given frames are put in before each call and have velocity zero, so a sampler leaves them alone.
        """
        condition = condition[:, :, : task.frames]

        def field(x: Tensor, sigma: Tensor, step_size: Tensor) -> Tensor:
            if task.given:
                x = task.insert_given(x, clean)
            velocity = self.transformer(x, condition, task.times(sigma), step_size)
            return velocity * task.generated.to(velocity).view(1, 1, -1, 1, 1)

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
