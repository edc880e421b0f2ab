"""A TurboVSR too small to be good and quick to build; every part is real."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from turbovsr import checkpoints
from turbovsr.model import Model, ModelConfig

TINY = ModelConfig(
    latent_channels=32,
    encoder_widths=(8, 8, 12, 16),
    decoder_width=8,
    decoder_head_width=8,
    decoder_blocks=(1, 2),
    condition_channels=32,
    transformer_width=24,
    transformer_depth=2,
    transformer_heads=2,
    attention_window=4,
)


def tiny_model(config: ModelConfig = TINY) -> Model:
    """All weights random, also those that start at zero: nothing may hold just because a branch is silent."""
    model = Model(config)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.1)
    return model.eval()


@pytest.fixture
def model() -> Model:
    return tiny_model()


@pytest.fixture(scope="session")
def weights(tmp_path_factory) -> Path:
    """A checkpoint file of the tiny model."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    checkpoints.save(tiny_model(), path, torch.float32, name="tiny", licence="none", origin="random")
    return path
