import pytest
import torch

from turbovsr import transformer as network
from turbovsr.transformer import Transformer
from turbovsr.windows import Windows


def build(window, **options):
    torch.manual_seed(0)
    transformer = Transformer(8, 8, 24, 2, 2, window, **options)
    torch.nn.init.normal_(transformer.head.weight)
    return transformer.eval()


def inputs(frames=2, height=4, width=4):
    return torch.randn(2, 8, frames, height, width), torch.randn(2, 8, frames, height, width)


@pytest.mark.parametrize("edge", [4, None])
@pytest.mark.parametrize("height, width", [(5, 9), (4, 8), (1, 3), (13, 4)])
def test_windows_come_back_as_they_were_cut(edge, height, width):
    grid = torch.randn(2, 3, height, width, 4)
    for shifted in (False, True):
        windows = Windows(3, height, width, edge, shifted)
        assert torch.equal(windows.merge(windows.partition(grid), 2), grid)


def test_covering_windows_stay_inside_and_leave_no_border_fixed():
    straight, shifted = (Windows(1, 34, 60, 12, odd) for odd in (False, True))
    assert straight.count == 3 * 5 and shifted.count == 4 * 6
    owners = [w.places.view(34, 60)[:, 0] // (12 * 12) for w in (straight, shifted)]  # the window of each row's output
    borders = [set(torch.nonzero(owner.diff()).flatten().tolist()) for owner in owners]
    assert len(borders[0]) == 2 and len(borders[1]) == 3 and not borders[0] & borders[1]


def test_windows_that_fit_the_grid_side_by_side_attend_each_within_itself():
    x, condition = inputs(height=8, width=4)
    times, step = torch.rand(2, 2, 1, 1), torch.ones(2)
    transformer = build(4)
    transformer.blocks = transformer.blocks[:1]  # the unshifted block
    whole = transformer(x, condition, times, step)
    changed = x.clone()
    changed[..., 4:, :] = 0
    half = transformer(changed, condition, times, step)
    assert torch.equal(half[..., :4, :], whole[..., :4, :]) and not torch.equal(half[..., 4:, :], whole[..., 4:, :])


def test_one_window_over_the_grid_is_full_attention():
    x, condition = inputs()
    arguments = (x, condition, torch.rand(2, 2, 1, 1), torch.ones(2))
    # A window of twice the grid covers it whether it is shifted by half its edge or not.
    assert torch.allclose(build(8)(*arguments), build(None)(*arguments), atol=1e-4)


def test_token_times_act_token_by_token():
    x, condition = inputs()
    times = torch.full((2, 2, 4, 4), 0.5)
    shared = build(None)(x, condition, times[:, :, :1, :1], torch.ones(2))
    each = build(None)(x, condition, times, torch.ones(2))
    assert torch.allclose(shared, each, atol=1e-5)
    times[:, 1] = 0
    assert not torch.allclose(build(None)(x, condition, times, torch.ones(2)), each, atol=1e-3)


def test_step_size_and_place_matter():
    x, condition = inputs()
    transformer = build(None)
    one = transformer(x, condition, torch.rand(2, 1, 1, 1), torch.ones(2))
    assert not torch.allclose(one, transformer(x, condition, torch.rand(2, 1, 1, 1), torch.full((2,), 0.25)), atol=1e-3)
    flipped = transformer(x.flip(-1), condition.flip(-1), torch.full((2, 1, 1, 1), 0.5), torch.ones(2)).flip(-1)
    straight = transformer(x, condition, torch.full((2, 1, 1, 1), 0.5), torch.ones(2))
    assert not torch.allclose(flipped, straight, atol=1e-3)


def test_a_kept_geometry_serves_inference_and_training_alike():
    transformer, (x, condition) = build(4), inputs()
    with torch.inference_mode():
        transformer(x, condition, torch.rand(2, 2, 1, 1), torch.ones(2))
    transformer(x, condition, torch.rand(2, 2, 1, 1), torch.ones(2)).sum().backward()
    for height in range(4, 12):
        transformer(*inputs(height=height), torch.rand(2, 2, 1, 1), torch.ones(2))
    assert len(transformer._grids) <= 4 and not any("_grids" in key for key in transformer.state_dict())


def test_tokens_are_fed_forward_alike_in_parts(monkeypatch):
    transformer, (x, condition) = build(4), inputs()
    with torch.inference_mode():
        whole = transformer(x, condition, torch.full((2, 1, 1, 1), 0.5), torch.ones(2))
        monkeypatch.setattr(network, "TOKENS_AT_ONCE", 5)
        parts = transformer(x, condition, torch.full((2, 1, 1, 1), 0.5), torch.ones(2))
    assert torch.allclose(parts, whole, atol=1e-5)
