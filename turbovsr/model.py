"""TurboVSR's networks under one roof, and the sizes they come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from turbovsr.conditioning import LRProjection
from turbovsr.decoder import Decoder
from turbovsr.encoder import Encoder
from turbovsr.generator import Generator, check_config
from turbovsr.transformer import Transformer


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Widths and depths; the defaults are `nano`, which is trained and shipped.

    finest_steps and shift_strength belong to the shortcut's time grid: the weights know no other. `prediction_type`: what the
    transformer says, the "velocity" or the "sample" (`Generator`).
    """

    latent_channels: int = 128
    encoder_widths: tuple[int, int, int, int] = (32, 64, 128, 192)
    decoder_width: int = 64
    decoder_head_width: int = 48
    decoder_blocks: tuple[int, int] = (1, 2)
    consistent: bool = True
    condition_channels: int = 256
    transformer_width: int = 192
    transformer_depth: int = 4
    transformer_heads: int = 3
    prediction_type: str = "sample"
    attention_window: int | None = 8
    finest_steps: int = 16
    shift_strength: float = 2.0


class Model(Generator):
    """All parts of a model on the turbo path that is trained from nothing; `turbovsr.pipeline` runs them."""

    kind = "nano"

    def __init__(self, config: ModelConfig):
        super().__init__()
        check_config(config)
        self.config = config
        self.encoder = Encoder(config.latent_channels, config.encoder_widths)
        self.decoder = Decoder(
            config.latent_channels,
            config.decoder_width,
            config.decoder_head_width,
            config.decoder_blocks,
            config.consistent,
        )
        self.projection = LRProjection(config.condition_channels)
        self.transformer = Transformer(
            config.latent_channels,
            config.condition_channels,
            config.transformer_width,
            config.transformer_depth,
            config.transformer_heads,
            config.attention_window,
            gelu="none",
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

    def prepare(self, compile: bool = False) -> None:
        """Lay the weights out for inference; `compile`: for speed at the cost of a slow first call."""
        self.decoder.to(memory_format=torch.channels_last)
        if compile:
            self.transformer.compile_blocks()
