"""Random numbers of a training step."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from turbovsr.train.distributed import rank

NO_RANK = 2**32 - 1  # numpy pads seeds with zeros: without a third number `shared` would be rank 0's own stream


class StepRng:
    """Random generators of one step, seeded by (seed, step, rank), so that a resumed training draws the same numbers.

    Attributes:
        step: the step's number, from 0.
        shared: draws the same numbers in all processes, for decisions that they must take together.
        numpy, torch: draw numbers of this process; `torch` is a generator on the CPU.
    """

    def __init__(self, seed: int, step: int):
        self.step = step
        self.shared = np.random.default_rng([seed, step, NO_RANK])
        self.numpy = np.random.default_rng([seed, step, rank()])
        self.torch = torch.Generator().manual_seed(int(self.numpy.integers(2**62)))

    def __getstate__(self) -> dict:
        return self.__dict__ | {"torch": self.torch.get_state()}

    def __setstate__(self, state: dict) -> None:
        self.__dict__ |= state
        self.torch = torch.Generator()
        self.torch.set_state(state["torch"])

    def normal(self, like: Tensor) -> Tensor:
        """Gaussian noise of a tensor's shape, type and device; the same numbers on every device."""
        return torch.randn(like.shape, generator=self.torch).to(like)
