"""The shortcut model: a rectified flow conditioned on the step size, so that one step can suffice.

Rectified flow: x_s = (1-s) x0 + s noise, velocity v = noise - x0, from s = 1 (noise) to s = 0 (data). A shortcut model
(Frans et al., arXiv 2410.12557) predicts the mean velocity over a step of any size, and is trained so that one step
equals the two half steps that its own EMA weights take. From the TurboVSR paper: a shortcut model with non-uniform
sampling. Not specified there; our choice: noise levels uniform in a warped time u, s = shift(u), dense near the noise.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Velocity = Callable[[Tensor, Tensor, Tensor], Tensor]
"""velocity(x, sigma (B,), step_size (B,)) -> the shape of x."""

TARGET_LIMIT = 4.0  # Frans et al. clip the bootstrap target so: a wild early EMA must not feed on itself


def shift(u: Tensor, strength: float) -> Tensor:
    """Warp time u in 0..1: 0 and 1 stay, strength > 1 moves what is between towards the noise (LTX's e^mu)."""
    return strength * u / (1 + (strength - 1) * u)


def sigmas(steps: int, strength: float) -> Tensor:
    """The noise levels of a sampler of `steps` steps, (steps + 1,) from 1 down to 0."""
    if steps < 1:
        raise ValueError(f"a sampler takes at least 1 step, got {steps}")
    return shift(torch.linspace(1, 0, steps + 1), strength)


def add_noise(x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """x_s of each clip, sigma (B,)."""
    sigma = sigma.view(-1, *[1] * (x0.ndim - 1))
    return (1 - sigma) * x0 + sigma * noise


def sample(velocity: Velocity, noise: Tensor, steps: int, strength: float) -> Tensor:
    """Sample data from noise in `steps` Euler steps; deterministic given the noise."""
    x = noise
    noise_levels = sigmas(steps, strength).to(noise.device)  # in float32 whatever the network's precision
    step_size = noise_levels.new_full((len(noise),), 1 / steps)
    for now, after in zip(noise_levels[:-1], noise_levels[1:]):
        x = x - (now - after) * velocity(x, now.expand(len(noise)), step_size)
    return x


def draw_steps(count: int, finest: int, bootstrap: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw the step count and the start of the step for each training example.

    Returns:
        steps: (count,), `finest` for the flow examples, else one of 1, 2, ... finest/2 for about a share `bootstrap`.
        u: (count,), start of the step in warped time, one of the noise levels of a sampler of `steps` steps, in (0, 1].
    """
    powers = max(finest.bit_length() - 1, 1)  # a finest sampler of one step has no coarser ones: all are flow examples
    steps = 2 ** torch.randint(0, powers, (count,), generator=random)
    is_flow = torch.rand(count, generator=random) >= bootstrap
    steps = torch.where(is_flow, finest, steps).float()
    place = torch.floor(torch.rand(count, generator=random) * steps)
    return steps, 1 - place / steps


@torch.no_grad()
def bootstrap_target(velocity: Velocity, x: Tensor, u: Tensor, steps: Tensor, strength: float) -> Tensor:
    """Mean velocity of two half steps from x at warped time u, each one of a sampler of 2*steps steps.

    The step goes from s = shift(u) over m to r; noise levels are not uniform, so the halves differ in length and their
    velocities are weighted: ((s-m) v1 + (m-r) v2) / (s-r).
    """
    s, m, r = (shift((u - part / steps).clamp(min=0), strength) for part in (0.0, 0.5, 1.0))
    shape = (-1, *[1] * (x.ndim - 1))
    half = 0.5 / steps
    first = velocity(x, s, half)
    middle = x - (s - m).view(shape) * first
    second = velocity(middle, m, half)
    mean = ((s - m).view(shape) * first + (m - r).view(shape) * second) / (s - r).view(shape)
    return mean.clamp(-TARGET_LIMIT, TARGET_LIMIT)


def training_targets(
    ema_velocity: Callable[[Tensor], Velocity],
    x0: Tensor,
    noise: Tensor,
    finest: int,
    bootstrap: float,
    strength: float,
    random: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs and targets of one training batch.

    Args:
        ema_velocity: indices of examples in the batch -> the EMA network's velocity field for them.
    Returns:
        x (B, ...), sigma (B,), step_size (B,), target (B, ...): noise - x0 for the flow examples, which have the
        finest step, `bootstrap_target` for the others.
    """
    steps, u = (drawn.to(x0.device) for drawn in draw_steps(len(x0), finest, bootstrap, random))
    sigma = shift(u, strength)
    x = add_noise(x0, noise, sigma)
    target = noise - x0
    chosen = torch.nonzero(steps < finest).flatten()
    if len(chosen):
        halves = bootstrap_target(ema_velocity(chosen), x[chosen], u[chosen], steps[chosen], strength)
        target = target.index_copy(0, chosen, halves)
    return x, sigma, 1 / steps, target
