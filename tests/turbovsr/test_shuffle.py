import torch
import torch.nn.functional as F

from frames.bicubic import bicubic
from turbovsr.shuffle import bicubic_cells, grow, shrink, to_cells, to_pixels


def test_grow_puts_the_channels_of_a_place_side_by_side_and_shrink_takes_them_back():
    x = torch.arange(2.0 * 12 * 2 * 3).view(2, 12, 2, 3)  # 12 channels: (row, column, 3)
    grown = grow(x, 2)
    assert grown.shape == (2, 3, 4, 6)
    assert grown[1, 2, 3, 5] == x[1, 9 + 2, 1, 2]  # row 1, column 1 of the last place
    assert torch.equal(shrink(grown, 2), x)


def test_cells_are_pixel_unshuffle():
    frames = torch.randn(2, 3, 8, 12)
    assert torch.equal(to_cells(frames), F.pixel_unshuffle(frames, 4))
    assert torch.equal(to_pixels(to_cells(frames)), frames)


def test_bicubic_as_a_convolution_is_bicubic_borders_included():
    lr = torch.rand(2, 3, 7, 5) * 2 - 1
    assert torch.allclose(to_pixels(bicubic_cells(lr)), bicubic(lr, (28, 20)), atol=2e-6)


def test_bicubic_that_was_first_used_for_inference_serves_training():
    with torch.inference_mode():
        bicubic_cells(torch.rand(1, 3, 4, 4))
    lr = torch.rand(1, 3, 4, 4, requires_grad=True)
    bicubic_cells(lr).sum().backward()
    assert torch.allclose(lr.grad.sum(), torch.tensor(3.0 * 16 * 16), rtol=1e-4)
