"""Models whose transformer is sharded over the processes by torch's fully_shard; no process ever holds all of it.

Each process keeps a part of every weight, in float32, with its gradient, its optimizer state and its EMA. A block's
weights are gathered when it computes, in bfloat16 where that is asked for, and dropped again. The frozen autoencoder is
whole in each process. With one process it is the same code in a group of one, so results do not depend on the way.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from turbovsr.generator import transformer_of
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.ltx.model import LTXConfig, LTXModel
from turbovsr.train.distributed import rank, world_size
from turbovsr.train.ltx.lora import adapt
from turbovsr.transformer import Transformer

Named = tuple[str, Tensor]


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Use the process group of a launcher during the block; without a launcher, a group of this process alone."""
    with warnings.catch_warnings():
        # The transformer's output is a view, which matters only to those who change it in place.
        warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
        if dist.is_initialized():
            yield
            return
        backend = "nccl" if device.type == "cuda" else "gloo"
        dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
        try:
            yield
        finally:
            dist.destroy_process_group()


def sharded_model(
    config: LTXConfig, prompt: Tensor | None, device: torch.device, dtype: torch.dtype, lora: int = 0
) -> LTXModel:
    """Build a sharded model whose weights are not initialised.

    Args:
        prompt: (1, L, text channels), where the configuration has `prompt_tokens`.
        dtype: the networks compute in it; the transformer's own weights are float32, the autoencoder's of this type.
        lora: rank of the adapters; 0: none.
    """
    model = meta_model(config, lora)
    shard(model.transformer, device, dtype)
    model.transformer.to_empty(device=device)
    model.autoencoder.to(dtype).to_empty(device=device)
    if prompt is not None:
        model.prompt = prompt.to(device, dtype)
    return model.requires_grad_(False)


def meta_model(config: LTXConfig, lora: int = 0) -> LTXModel:
    """Build a model without memory for its weights; with adapters if their rank, `lora`, is above 0."""
    with torch.device("meta"):
        model = LTXModel(config)
        if lora:
            adapt(model.transformer, lora)
        return model


def shard(transformer: Transformer, device: torch.device, dtype: torch.dtype) -> None:
    """Shard each block, and the rest together, over the processes."""
    mesh = init_device_mesh(device.type, (world_size(),))  # without it torch takes GPUs wherever there are any
    # Times are float32 on their way in: in bfloat16 many noise levels would fall together.
    policy = MixedPrecisionPolicy(cast_forward_inputs=False)
    if dtype != torch.float32:
        policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for block in transformer.blocks:
        fully_shard(block, mesh=mesh, mp_policy=policy)
    # The root too: torch would leave its weights gathered after a forward pass without a backward pass, the EMA's.
    fully_shard(transformer, mesh=mesh, mp_policy=policy, reshard_after_forward=True)


def shadow(model: LTXModel, device: torch.device, dtype: torch.dtype, lora: int = 0) -> LTXModel:
    """Copy a sharded model for the EMA: a transformer of its own with the same weights, and the same autoencoder."""
    second = meta_model(model.config, lora)
    second.autoencoder, second.prompt = model.autoencoder, model.prompt
    shard(second.transformer, device, dtype)
    second.transformer.to_empty(device=device)
    with torch.no_grad():
        for target, value in zip(second.transformer.parameters(), model.transformer.parameters(), strict=True):
            local(target).copy_(local(value))
    return second.requires_grad_(False)


@torch.no_grad()
def fill(module: nn.Module, values: Iterable[Named]) -> list[str]:
    """Copy this process's part of each value into the module's weight of that name; returns the names."""
    own = dict(module.named_parameters()) | dict(module.named_buffers())
    names = []
    for name, value in values:
        target = own[name]
        if isinstance(target, DTensor):
            value = value.to(target.device, target.dtype)
            # Every process has read the same value, so nothing is sent.
            part = distribute_tensor(value, target.device_mesh, target.placements, src_data_rank=None)
            target.to_local().copy_(part.to_local())
        else:
            target.copy_(value)
        names.append(name)
    return names


def random_transformer(config: LTXConfig, seed: int) -> Iterator[Named]:
    """Yield random weights of a transformer, one block in memory at a time; the same for any number of processes.

    The columns of the condition and the last layer of the step embedding are zero, as after loading LTX's weights.
    """
    text = config.prompt_channels if config.prompt_tokens else None
    variant = dict(text_channels=text, step_embedding=config.step_embedding, causal_positions=config.causal_positions)
    for index in range(config.transformer_depth):
        yield from _drawn(dataclasses.replace(config, transformer_depth=1), variant, seed + 1 + index, index)
    yield from _drawn(dataclasses.replace(config, transformer_depth=0), variant, seed, None)


def _drawn(config: LTXConfig, variant: dict, seed: int, block: int | None) -> Iterator[Named]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformer = transformer_of(config, **variant)
    if block is not None:
        for name, value in transformer.blocks[0].named_parameters():
            yield f"blocks.{block}.{name}", value
        return
    silence_additions(transformer)
    yield from transformer.named_parameters()


@torch.no_grad()
def silence_additions(transformer: Transformer) -> None:
    """Zero the weights that LTX does not have (condition, step embedding), so that training starts from LTX."""
    if transformer.condition_channels:
        transformer.embed.weight[:, -transformer.condition_channels :] = 0
    if transformer.embed_step is not None:
        for value in transformer.embed_step[2].parameters():
            value.zero_()


def random_autoencoder(config: LTXConfig, seed: int) -> Iterator[Named]:
    """Yield random weights of the autoencoder; the same for any number of processes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        autoencoder = LTXAutoencoder(config.autoencoder)
    yield from autoencoder.state_dict().items()


def local(value: Tensor) -> Tensor:
    """This process's part of a value."""
    return value.to_local() if isinstance(value, DTensor) else value


def gather(state: Iterable[Named], dtype: torch.dtype) -> dict[str, Tensor]:
    """Gather whole values in the first process's memory; all processes must call it. Empty in the others."""
    found = {}
    for name, value in state:
        if isinstance(value, DTensor):
            value = value.full_tensor()
        if rank() == 0:
            found[name] = value.detach().to("cpu", dtype)
    return found
