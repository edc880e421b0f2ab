"""Noise levels: LTX's shift, and the grid of the shortcut model."""

import pytest
import torch

from turbovsr.shortcut import draw_steps
from turbovsr.train.ltx.noise_levels import draw_flow_level, draw_grid_step, shift_exponent


def test_the_shift_is_that_of_ltx_and_ends_where_the_sampler_is():
    assert [shift_exponent(n) for n in (1024, 2560, 4096)] == pytest.approx([0.95, 1.5, 2.05])
    assert shift_exponent(14280) == 2.05


def test_flow_levels_are_logit_normal_around_the_shift():
    random = torch.Generator().manual_seed(0)
    levels = torch.stack([draw_flow_level(1024, 0.0, random) for _ in range(4000)])
    logits = torch.logit(levels.double())
    assert logits.mean() == pytest.approx(0.95, abs=0.06) and logits.std() == pytest.approx(1, abs=0.06)
    uniform = torch.stack([draw_flow_level(4096, 1.0, random) for _ in range(4000)])
    assert uniform.mean() == pytest.approx(0.5, abs=0.02) and uniform.max() < 1


def test_grid_steps_are_those_of_the_batched_drawing():
    """`turbovsr.shortcut.draw_steps` draws for a batch at once: the same steps and places, as often."""
    random = torch.Generator().manual_seed(0)
    ours = [draw_grid_step(16, True, random) for _ in range(4000)]
    steps, u = draw_steps(4000, 16, 1.0, random)
    assert {float(s) for s, _ in ours} == set(steps.tolist()) == {1.0, 2.0, 4.0, 8.0}
    for count in (1.0, 2.0, 4.0, 8.0):
        mine, theirs = [float(p) for s, p in ours if s == count], u[steps == count]
        assert len(mine) == pytest.approx(len(theirs), rel=0.15)
        assert set(mine) == set(theirs.tolist())
    flow = [draw_grid_step(16, False, random) for _ in range(500)]
    assert {float(s) for s, _ in flow} == {16.0} and {float(p) for _, p in flow} == {n / 16 for n in range(1, 17)}
