"""Noise levels of training examples, drawn for each example from its own generator."""

from __future__ import annotations

import torch
from torch import Tensor

FEW_TOKENS, MANY_TOKENS = 1024, 4096  # at which LTX shifts by e^0.95 and by e^2.05
SHIFTS = (0.95, 2.05)


def shift_exponent(tokens: int) -> float:
    """LTX's resolution-dependent shift as an exponent of e: linear in the tokens, 0.95 at 1,024 and 2.05 at 4,096.

    LTX extrapolates beyond both. Here it ends at 2.05, the sampler's: at the 14,280 tokens of 2 seconds of 1080p the
    line gives e^5.7, which leaves hardly any level below 0.9 to be trained.
    """
    slope = (SHIFTS[1] - SHIFTS[0]) / (MANY_TOKENS - FEW_TOKENS)
    return min(SHIFTS[1], SHIFTS[0] + slope * (tokens - FEW_TOKENS))


def draw_flow_level(tokens: int, uniform_share: float, random: torch.Generator) -> Tensor:
    """Draw a noise level in (0, 1), (): logit-normal around the shift, as in LTX-Video's trainer, or uniform."""
    uniform, place = torch.rand(2, generator=random)
    normal = torch.randn((), generator=random)
    return place if uniform < uniform_share else torch.sigmoid(normal + shift_exponent(tokens))


def draw_grid_step(finest: int, is_shortcut: bool, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw a step of the sampler's grid: the sampler's number of steps, and the step's start in warped time, in (0, 1].

    Flow examples have `finest` steps, shortcut examples 1, 2, ... or `finest` / 2.
    """
    power, place = torch.rand(2, generator=random)
    steps = torch.tensor(float(finest))
    if is_shortcut:
        steps = 2 ** torch.floor(power * (finest.bit_length() - 1))
    return steps, 1 - torch.floor(place * steps) / steps
