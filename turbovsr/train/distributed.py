"""Training in several processes: their environment, and averaging of gradients.

`accelerate launch` and `torchrun` both start the processes and set RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and
MASTER_PORT; that is all that is used here, so neither package is needed to train in one process. Gradients are averaged
in one message after the backward pass rather than by DistributedDataParallel: parts of a model are trained, different
ones by task, and one message of a few million numbers costs little beside a step.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

from frames.errors import EnvironmentInvalid, UserError

PATIENCE = timedelta(hours=2)  # the others wait while the first process validates


def rank() -> int:
    """Number of this process among the training processes, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Number of training processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


@contextmanager
def processes(device: torch.device, patience: timedelta = PATIENCE) -> Iterator[None]:
    """Join the other processes that a launcher started, if one did; each waits so long for the others."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=patience)
    try:
        yield
    finally:
        dist.destroy_process_group()


def local_device(name: str) -> torch.device:
    """The device that `auto`, `cpu`, `cuda` or `cuda:N` means for this process; `auto` and `cuda` spread over the GPUs.

    Raises:
        UserError: no such device.
        EnvironmentInvalid: CUDA is asked for and there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise EnvironmentInvalid(f"device={name}: torch {torch.__version__} sees no CUDA device here; use device=cpu")
    if name == "cuda":
        name = f"cuda:{int(os.environ.get('LOCAL_RANK', 0)) % torch.cuda.device_count()}"
    try:
        device = torch.device(name)
        if device.type == "cuda":
            torch.cuda.set_device(device)
    except RuntimeError as error:
        raise UserError(f"device={name}: no such device; choose auto, cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"device={name}: not supported; choose auto, cpu, cuda or cuda:N")
    return device


def barrier() -> None:
    """Wait until all processes are here."""
    if dist.is_initialized():
        dist.barrier()


def broadcast(value: str) -> str:
    """Give all processes the value of the first one."""
    if not dist.is_initialized():
        return value
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]


def average_gradients(parameters: list[nn.Parameter], flag: bool = False) -> bool:
    """Replace each gradient by its mean over the processes; one that a process's batch did not reach counts as zero.

    One that no process's batch reached stays None, as in one process: an optimizer then leaves the parameter alone,
    where for zeros it would go on with momentum and weight decay.

    Returns whether any process gave the flag, which travels in the same message because each message costs a wait.
    """
    if not dist.is_initialized():
        return flag
    gradients = [(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in parameters]
    flags = gradients[0].new_tensor([float(p.grad is not None) for p in parameters] + [float(flag)])
    flat = torch.cat([*gradients, flags])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    *reached, stop = (flat[-len(flags) :] > 0).tolist()
    for p, part, some in zip(parameters, flat[: -len(flags)].split([p.numel() for p in parameters]), reached):
        p.grad = part.view_as(p) if some else None
    return stop
