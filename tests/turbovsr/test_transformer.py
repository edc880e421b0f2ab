import torch

from turbovsr.transformer import Transformer, Windows


def build(window):
    torch.manual_seed(0)
    transformer = Transformer(8, 8, 24, 2, 2, window)
    torch.nn.init.normal_(transformer.head.weight)
    return transformer.eval()


def inputs(frames=2, height=4, width=4):
    return torch.randn(2, 8, frames, height, width), torch.randn(2, 8, frames, height, width)


def test_windows_come_back_as_they_were_cut():
    grid = torch.randn(2, 3, 5, 9, 4)
    for shifted in (False, True):
        windows = Windows(3, 5, 9, 4, shifted)
        assert torch.equal(windows.join(windows.cut(grid), 2), grid)


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
