"""The model of the turbo path that is trained here, and its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from turbovsr.conditioning import LRProjection
from turbovsr.decoder import Decoder
from turbovsr.encoder import Encoder
from turbovsr.generator import Generator, check_config, transformer_of


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Widths and depths. The defaults are the model `half` of `turbovsr.train`; the packaged nano has the model `nano`.

    decoder_reduction: the LR size over that of the decoder's trunk, 2 or 1; see `turbovsr.decoder.Decoder`.
    decoder_detail: whether the detail that the latent codes linearly is added to the decoder's output.
    decoder_inner_blocks: residual blocks of the decoder at a half and at a quarter of its trunk's size.
    decoder_colours: channels and residual blocks of the layers that clean the LR frames' colours.
    decoder_memory: whether a frame hands features on to the next one in the decoder.
    finest_steps and shift_strength: of the sampler's noise levels, which the weights were trained with.
    prediction_type: "sample" or "velocity", see `turbovsr.generator.Generator`.
    """

    latent_channels: int = 128
    encoder_widths: tuple[int, int, int, int] = (32, 64, 128, 192)
    decoder_width: int = 64
    decoder_head_width: int = 48
    decoder_blocks: tuple[int, int] = (1, 2)
    decoder_reduction: int = 2
    decoder_memory: bool = False
    decoder_inner_blocks: tuple[int, int] = (0, 0)
    decoder_colours: tuple[int, int] = (0, 0)
    decoder_detail: bool = True
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
    """Encoder, decoder, projection of the LR frames and transformer; `turbovsr.pipeline` runs them."""

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
            config.decoder_reduction,
            config.decoder_memory,
            config.decoder_detail,
            config.decoder_inner_blocks,
            config.decoder_colours,
        )
        self.multiple_without_latent = self.decoder.multiple
        self.projection = LRProjection(config.condition_channels)
        self.transformer = transformer_of(config, gelu="none")

    def encode(self, hr: Tensor) -> Tensor:
        return self.encoder(hr)

    def condition(self, lr: Tensor) -> Tensor:
        return self.projection(lr)

    def decode_frames(self, lr: Tensor, latent: Tensor | None) -> Iterator[Tensor]:
        return self.decoder.frames(lr, latent)

    def prepare(self, compile: bool = False) -> None:
        self.decoder.to(memory_format=torch.channels_last)
        if compile:
            self.transformer.compile_blocks()
