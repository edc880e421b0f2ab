"""Torch's Muon, in float32 where bfloat16 would be emulated.

Torch's computes its products in bfloat16 whatever the device, which on a CPU without such instructions took more
than the rest of a training step (docs/decisions/turbovsr-optimizer.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from turbovsr.precision import native_bfloat16


class Muon(torch.optim.Muon):
    """`torch.optim.Muon` with the same options and state, for the rates of AdamW (Liu et al., arXiv 2502.16982)."""

    def __init__(self, matrices: list[torch.nn.Parameter], lr: float, weight_decay: float):
        super().__init__(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        native = all(native_bfloat16(p.device) for group in self.param_groups for p in group["params"])
        if native or closure is not None:  # the loop has no closure
            return super().step(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_in_float32(parameter, group)
        return None

    def _step_in_float32(self, parameter: Tensor, group: dict) -> None:
        state, gradient, momentum = self.state[parameter], parameter.grad, group["momentum"]
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient, memory_format=torch.preserve_format)
        average = state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        update = gradient.lerp(average, momentum) if group["nesterov"] else average
        direction = orthogonalized(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(direction, alpha=-0.2 * max(parameter.shape) ** 0.5 * group["lr"])


def orthogonalized(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """Bring the singular values of a matrix near 1, its singular vectors kept.

    Newton-Schulz iterations X <- aX + (bXX' + c(XX')^2)X in float32; torch does them in bfloat16 (Keller Jordan, 2024).

    Args:
        matrix: (m, n).
        coefficients: a, b and c.
        steps: number of iterations.
        eps: least Frobenius norm that the matrix is divided by.
    """
    a, b, c = coefficients
    tall = len(matrix) > matrix.shape[1]  # the products are those of the shorter side
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
