"""Run by `accelerate launch` in each of two processes; see test_processes.py.

Arguments: a folder for what the processes found, then the words of a training command.
"""

import sys
from pathlib import Path

import torch

from tests.turbovsr.conftest import tiny_model
from turbovsr.train import stages
from turbovsr.train.composition import compose_plain
from turbovsr.train.config import build_config
from turbovsr.train.distributed import average_gradients, processes, rank, world_size
from turbovsr.train.loop import Loop
from turbovsr.train.losses import charbonnier


def gradients(lr: torch.Tensor, gt: torch.Tensor, averaged: bool) -> list[torch.Tensor]:
    """Of the decoder's loss on a batch."""
    decoder = tiny_model().decoder
    parameters = list(decoder.parameters())
    charbonnier(decoder(lr, None), gt).backward()
    if averaged:
        average_gradients(parameters)
    return [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]


def partly_reached() -> list[torch.Tensor | None]:
    """Averaged gradients of a parameter that both batches reach, of one that only the second reaches, and of none."""
    parameters = [torch.nn.Parameter(torch.zeros(2)) for _ in range(3)]
    for parameter in parameters[: 1 + rank()]:
        parameter.grad = torch.tensor([1.0, 3.0])
    assert average_gradients(parameters, flag=rank() == 1)  # each learns that the other one wants to stop
    assert not average_gradients(parameters)
    return [parameter.grad for parameter in parameters]


class SavingLoop(Loop):
    """Writes the weights that this process ends with."""

    def run(self, *arguments):
        ema = super().run(*arguments)
        torch.save({"model": self.model.state_dict(), "ema": ema.state_dict()}, found / f"weights-{rank()}.pt")
        return ema


if __name__ == "__main__":
    found, words = Path(sys.argv[1]), sys.argv[2:]
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    lr, gt = torch.rand(2, 3, 1, 8, 8, generator=generator), torch.rand(2, 3, 1, 32, 32, generator=generator)
    with processes(torch.device("cpu")):
        assert world_size() == 2
        own = slice(rank(), rank() + 1)
        result = {"ours": gradients(lr[own], gt[own], True), "joint": gradients(lr, gt, False)}
        result["partly reached"] = partly_reached()
        torch.save(result, found / f"gradients-{rank()}.pt")
        stages.Loop = SavingLoop
        config_dir = Path(words[words.index("--config-dir") + 1])
        stages.train(build_config(compose_plain([w for w in words if "=" in w], config_dir)), torch.device("cpu"))
