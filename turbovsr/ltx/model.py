"""TurboVSR in LTX-Video's latent space: the paper's path and the turbo path around one transformer.

paper: the LR clip, enlarged by bicubic and encoded, is the condition; the autoencoder's decoder decodes the latent.
turbo (not in the paper; our choice): a light causal projection of the LR frames onto the latent grid is the condition,
and a small decoder that sees the LR frames decodes the latent; the encoder only encodes the one frame that links a
chunk to the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from frames.bicubic import bicubic
from turbovsr.conditioning import LRProjection
from turbovsr.decoder import Decoder
from turbovsr.generator import Generator, check_config, transformer_of
from turbovsr.geometry import SCALE
from turbovsr.layers import SpatialBlock
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.rearrange import batch_to_frames, frames_to_batch

PATHS = ("paper", "turbo")
RECOMPILE_LIMIT = 64


@dataclass(frozen=True, kw_only=True)
class LTXConfig:
    """Shape of a model in LTX's latent space; the defaults are the 2B transformer's.

    finest_steps and shift_strength: of the sampler's noise levels. LTX shifts by e^0.95 at 1,024 tokens to e^2.05 at
    4,096; a shortcut network is trained with one set of levels, so one strength is fixed, that of 4,096.
    """

    path: str = "paper"
    autoencoder: str = "0.9.0"  # layout, see `turbovsr.ltx.autoencoder`
    latent_channels: int = 128
    condition_channels: int = 128  # on the paper path those of the latent
    transformer_width: int = 2048
    transformer_depth: int = 28
    transformer_heads: int = 32
    attention_window: int | None = None
    step_embedding: bool = True
    causal_positions: bool = False
    prompt_tokens: int = 0  # of the one fixed text; 0: no text branch
    prompt_channels: int = 4096
    decoder: dict[str, Any] = field(default_factory=dict)  # options of `turbovsr.decoder.Decoder`, for the turbo path
    finest_steps: int = 16
    shift_strength: float = math.exp(2.05)
    prediction_type: str = "velocity"


class LTXModel(Generator):
    """All parts of one path; `turbovsr.pipeline` runs them."""

    kind = "ltx"
    config: LTXConfig

    def __init__(self, config: LTXConfig):
        super().__init__()
        if config.path not in PATHS:
            raise ValueError(f"unknown path {config.path}: choose one of {', '.join(PATHS)}")
        check_config(config)
        self.config = config
        self.autoencoder = LTXAutoencoder(config.autoencoder)
        self.projection = self.decoder = None
        if config.path == "turbo":
            del self.autoencoder.decoder
            self.projection = LRProjection(config.condition_channels)
            self.decoder = Decoder(config.latent_channels, **config.decoder)
        self.decodes_frame_by_frame = self.decoder is not None  # LTX's decoder holds features of the whole clip
        self.transformer = transformer_of(
            config,
            text_channels=config.prompt_channels if config.prompt_tokens else None,
            step_embedding=config.step_embedding,
            causal_positions=config.causal_positions,
        )
        if config.prompt_tokens:
            self.prompt = torch.zeros(1, config.prompt_tokens, config.prompt_channels)

    def encode(self, hr: Tensor) -> Tensor:
        return self.autoencoder.encode(hr.to(self._dtype))

    def condition(self, lr: Tensor) -> Tensor:
        if self.projection is not None:
            return self.projection(lr)
        size = (SCALE * lr.shape[-2], SCALE * lr.shape[-1])
        return self.encode(batch_to_frames(bicubic(frames_to_batch(lr.float()), size).clamp(-1, 1), len(lr)))

    def decode_frames(self, lr: Tensor, latent: Tensor | None) -> Iterator[Tensor]:
        if self.decoder is not None:
            return self.decoder.frames(lr, latent)
        if latent is None:
            raise ValueError("the paper path cannot decode without a latent: use path=turbo, or use_latent=True")
        return self.autoencoder.decode_frames(latent)

    def prepare(self, compile: bool = False) -> None:
        for module in self.autoencoder.modules():
            if isinstance(module, nn.Conv3d):
                module.to(memory_format=torch.channels_last_3d)
        if self.decoder is not None:
            self.decoder.to(memory_format=torch.channels_last)
        if compile:
            # Images, first frames and clips compile kernels of their own; beyond torch's limit of 8 it runs eagerly.
            torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, RECOMPILE_LIMIT)
            self.transformer.compile_blocks()
            self.autoencoder.compile_blocks()
            for block in [] if self.decoder is None else self.decoder.modules():
                if isinstance(block, SpatialBlock):
                    block.compile()

    @property
    def _dtype(self) -> torch.dtype:
        return self.autoencoder.mean.dtype
