"""The random numbers of a step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from turbovsr.train.distributed import rank


class StepRandom:
    """Every random number of one step, drawn from (seed, step, rank): a resumed run draws what an unbroken one does.

    `shared` draws alike in all processes, for choices that they must make together. `drawn` holds the step's GT and LR
    where they were drawn ahead of time (see `turbovsr.train.ahead`), from these very generators.
    """

    def __init__(self, seed: int, step: int):
        self.step = step
        self.shared = np.random.default_rng([seed, step])
        self.numpy = np.random.default_rng([seed, step, rank()])
        self.torch = torch.Generator().manual_seed(int(self.numpy.integers(2**62)))
        self.drawn: tuple[Tensor, Tensor] | None = None

    def __getstate__(self) -> dict:
        return self.__dict__ | {"torch": self.torch.get_state()}

    def __setstate__(self, state: dict) -> None:
        self.__dict__ |= state
        self.torch = torch.Generator()
        self.torch.set_state(state["torch"])

    def normal(self, like: Tensor) -> Tensor:
        """Gaussian noise of a tensor's shape, type and device, the same on every device."""
        return torch.randn(like.shape, generator=self.torch).to(like)
