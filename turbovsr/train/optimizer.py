"""Optimizers of a stage: AdamW, or Muon for matrices and convolutions with AdamW for the rest."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from turbovsr.train.muon import Muon

BETAS = (0.9, 0.99)
NARROWEST = 8  # fewest rows or columns of a matrix that Muon trains


class MuonWithAdamW:
    """Muon for matrices and for convolutions as matrices (outputs x the rest), AdamW for the other parameters.

    Muon takes the step nearest to the gradient's momentum whose singular values are about equal (Keller Jordan, 2024),
    scaled so that learning rates are those of AdamW (Liu et al., arXiv 2502.16982). To the loop it is one optimizer.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float, weight_decay: float):
        parameters = list(parameters)
        self.matrices = [(p, as_matrix(p)) for p in parameters if suits_muon(p)]
        others = [p for p in parameters if not suits_muon(p)]
        self.parts: dict[str, torch.optim.Optimizer] = {}
        if self.matrices:
            views = [view for _, view in self.matrices]
            self.parts["muon"] = Muon(views, learning_rate, weight_decay)
        if others:
            self.parts["adamw"] = torch.optim.AdamW(others, learning_rate, betas=BETAS, weight_decay=weight_decay)

    @property
    def param_groups(self) -> list[dict]:
        return [group for part in self.parts.values() for group in part.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        for parameter, _ in self.matrices:
            parameter.grad = None
        for part in self.parts.values():
            part.zero_grad(set_to_none)

    def step(self) -> None:
        for parameter, view in self.matrices:
            view.grad = None if parameter.grad is None else _rows(parameter.grad, parameter)
        for part in self.parts.values():
            part.step()

    def state_dict(self) -> dict:
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state: dict) -> None:
        for name, part in self.parts.items():
            part.load_state_dict(state[name])


def build(
    name: str, parameters: list[nn.Parameter], learning_rate: float, weight_decay: float
) -> torch.optim.Optimizer | MuonWithAdamW:
    """Build the optimizer of a name in `turbovsr.train.options.OPTIMIZERS`."""
    if name == "muon":
        return MuonWithAdamW(parameters, learning_rate, weight_decay)
    return torch.optim.AdamW(parameters, learning_rate, betas=BETAS, weight_decay=weight_decay)


def suits_muon(parameter: Tensor) -> bool:
    """Whether Muon trains a parameter: a matrix or convolution with at least 8 rows and 8 columns."""
    return parameter.ndim >= 2 and min(len(parameter), parameter[0].numel()) >= NARROWEST


def as_matrix(parameter: nn.Parameter) -> nn.Parameter:
    """View a parameter as a matrix with a row for each output; the order of the columns is that of the memory."""
    matrix = _rows(parameter.detach(), parameter)
    assert matrix.data_ptr() == parameter.data_ptr(), "a copy would be trained in the parameter's place"
    return nn.Parameter(matrix)


def _rows(values: Tensor, parameter: Tensor) -> Tensor:
    if parameter.ndim == 4 and not parameter.is_contiguous():  # channels innermost
        values = values.permute(0, 2, 3, 1)
    return values.flatten(1)
