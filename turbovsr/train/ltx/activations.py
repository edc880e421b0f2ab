"""Memory that a training step keeps for its backward pass, counted on tensors without data.

torch says through `saved_tensors_hooks` what it keeps; each storage counts once and weights do not. Blocks are alike:
networks of one and of two blocks are counted and the rest is added up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd.graph import saved_tensors_hooks

from turbovsr.ltx.model import LTXConfig, LTXModel
from turbovsr.ltx.presets import weights_on
from turbovsr.train.diffusion import task_of


class SavedBytes(saved_tensors_hooks):
    """Count the bytes that torch keeps for backward passes during the block, without those of `weights`."""

    def __init__(self, weights: Iterable[Tensor]):
        self._weights = {weight.untyped_storage()._cdata for weight in weights}
        self._kept: dict[int, Tensor] = {}  # a storage's address is its own as long as it lives
        super().__init__(self._keep, lambda kept: kept)

    def _keep(self, value: Tensor) -> Any:
        address = value.untyped_storage()._cdata
        if address not in self._weights:
            self._kept.setdefault(address, value)
        return value

    @property
    def total(self) -> int:
        return sum(value.untyped_storage().nbytes() for value in self._kept.values())


def activation_bytes(
    config: LTXConfig, shape: tuple[int, int, int], samples: int, dtype: torch.dtype, checkpointing: bool
) -> int:
    """Bytes in memory when the backward pass begins; with checkpointing, also those that its first block recomputes.

    Args:
        shape: frames, rows and columns of the latents.
        samples: number that is computed at once.
    """
    one, two = (_counted(config, depth, shape, samples, dtype, False) for depth in (1, 2))
    block = two - one
    if not checkpointing:
        return one + (config.transformer_depth - 1) * block
    one, two = (_counted(config, depth, shape, samples, dtype, True) for depth in (1, 2))
    return one + (config.transformer_depth - 1) * (two - one) + block


def _counted(
    config: LTXConfig, depth: int, shape: tuple[int, int, int], samples: int, dtype: torch.dtype, checkpointing: bool
) -> int:
    fake = FakeTensorMode()
    with weights_on(torch.device("cpu"), dtype), fake:
        model = LTXModel(dataclasses.replace(config, transformer_depth=depth))
    with fake:
        model.transformer.checkpointing = checkpointing
        return saved_by(model, shape, samples, dtype)


def saved_by(model: LTXModel, shape: tuple[int, int, int], samples: int, dtype: torch.dtype) -> int:
    """Bytes that a model's transformer keeps for the backward pass of `samples` latents of a shape."""
    config = model.config
    latent = torch.zeros(samples, config.latent_channels, *shape)
    condition = torch.zeros(samples, config.condition_channels, *shape, dtype=dtype)
    field = model.velocity(condition, task_of(latent), latent)
    saved = SavedBytes(model.transformer.parameters())
    with saved:
        field(latent, torch.ones(samples), torch.ones(samples))
    return saved.total
