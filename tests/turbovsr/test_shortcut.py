import pytest
import torch

from turbovsr.shortcut import add_noise, bootstrap_target, draw_steps, sample, shift, sigmas, training_targets

STRENGTH = 2.0


def straight_field(x0, noise):
    """The velocity of one straight path: any number of steps lands on x0."""
    return lambda x, sigma, step_size: noise - x0


def exponential_field(x, sigma, step_size):
    """dx/ds = x, whose mean velocity over a step of length h down from s is x (1 - e^-h) / h; here the plain slope."""
    return x


def test_grid_is_non_uniform_dense_near_the_noise():
    levels = sigmas(4, STRENGTH)
    assert levels[0] == 1 and levels[-1] == 0
    lengths = levels[:-1] - levels[1:]
    assert (lengths[1:] > lengths[:-1]).all()
    assert torch.allclose(sigmas(4, 1.0), torch.linspace(1, 0, 5))


@pytest.mark.parametrize("steps", [1, 2, 4, 16])
def test_sampler_follows_a_straight_path_exactly(steps):
    x0, noise = torch.randn(2, 4), torch.randn(2, 4)
    assert torch.allclose(sample(straight_field(x0, noise), noise, steps, STRENGTH), x0, atol=1e-5)


def test_sampler_refuses_no_steps():
    with pytest.raises(ValueError, match="at least 1 step"):
        sigmas(0, STRENGTH)


def test_bootstrap_target_lands_where_two_half_steps_land():
    x, u, steps = torch.rand(3, 4), torch.tensor([1.0, 0.5, 1.0]), torch.tensor([1.0, 2.0, 4.0])
    s, m, r = (shift(u - part / steps, STRENGTH) for part in (0, 0.5, 1))
    middle = x - (s - m)[:, None] * exponential_field(x, s, None)
    landed = middle - (m - r)[:, None] * exponential_field(middle, m, None)
    target = bootstrap_target(exponential_field, x, u, steps, STRENGTH)
    assert torch.allclose(x - (s - r)[:, None] * target, landed, atol=1e-6)


def test_half_steps_are_asked_for_with_half_the_step_size():
    asked = []

    def field(x, sigma, step_size):
        asked.append((sigma.tolist(), step_size.tolist()))
        return x

    bootstrap_target(field, torch.rand(1, 2), torch.tensor([1.0]), torch.tensor([1.0]), STRENGTH)
    assert asked == [([1.0], [0.5]), ([pytest.approx(2 / 3)], [0.5])]


def test_a_sampler_of_one_step_is_trained_by_flow_examples_alone():
    steps, u = draw_steps(100, 1, 0.5, torch.Generator().manual_seed(0))
    assert set(steps.tolist()) == set(u.tolist()) == {1}


def test_levels_cover_the_powers_of_two_and_stay_on_their_grids():
    steps, u = draw_steps(4000, 16, 0.5, torch.Generator().manual_seed(0))
    assert set(steps.tolist()) == {1, 2, 4, 8, 16}
    assert 0.4 < (steps < 16).float().mean() < 0.6
    assert torch.allclose((1 - u) * steps, torch.round((1 - u) * steps), atol=1e-4)
    assert (u > 0).all() and (u <= 1).all()


def test_targets_are_the_flow_velocity_where_the_step_is_finest():
    x0, noise = torch.randn(64, 3), torch.randn(64, 3)
    field = straight_field(x0, noise)

    def of_chosen(chosen):
        return lambda x, sigma, step_size: field(None, None, None)[chosen]

    x, sigma, step_size, target = training_targets(
        of_chosen, x0, noise, 16, 0.5, STRENGTH, torch.Generator().manual_seed(0)
    )
    # On a straight path self-consistency and flow agree, up to the limit put on bootstrap targets.
    assert torch.allclose(target.clamp(-4, 4), (noise - x0).clamp(-4, 4), atol=1e-5)
    assert torch.allclose(x, add_noise(x0, noise, sigma))
    assert (step_size == 1 / 16).any() and (step_size > 1 / 16).any()
