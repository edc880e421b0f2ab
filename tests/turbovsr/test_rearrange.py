import pytest
import torch
import torch.nn.functional as F

from turbovsr.rearrange import (
    add_depth_to_space,
    depth_to_space,
    pixel_shuffle,
    pixel_shuffle_into,
    pixel_unshuffle,
    space_to_depth,
)


def test_depth_to_space_puts_the_channels_of_a_place_side_by_side_and_space_to_depth_inverts_it():
    x = torch.arange(2.0 * 12 * 2 * 3).view(2, 12, 2, 3)  # 12 channels: (row, column, 3)
    wide = depth_to_space(x, 2)
    assert wide.shape == (2, 3, 4, 6)
    assert wide[1, 2, 3, 5] == x[1, 9 + 2, 1, 2]  # row 1, column 1 of the last place
    assert torch.equal(space_to_depth(wide, 2), x)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_added_where_it_belongs_a_deep_tensor_need_not_be_rearranged(memory_format):
    x, deep = torch.randn(2, 3, 12, 6).contiguous(memory_format=memory_format), torch.randn(2, 12, 4, 3)
    wanted = x[:, :, 2:10] + depth_to_space(deep, 2)
    assert torch.equal(add_depth_to_space(x[:, :, 2:10], deep, 2), wanted)


def test_pixel_unshuffle_is_that_of_torch():
    frames = torch.randn(2, 3, 8, 12)
    assert torch.equal(pixel_unshuffle(frames), F.pixel_unshuffle(frames, 4))
    assert torch.equal(pixel_shuffle(pixel_unshuffle(frames)), frames)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("height", "width"), [(8, 24), (16, 8)])
def test_written_into_rows_of_a_frame_the_pixels_are_the_same(memory_format, height, width):
    x = torch.randn(1, 48, height, width).contiguous(memory_format=memory_format)
    frame = torch.full((3, 4 * height + 8, 4 * width), torch.nan)
    pixel_shuffle_into(x, frame[:, 4 : 4 + 4 * height])
    assert torch.equal(frame[:, 4 : 4 + 4 * height], pixel_shuffle(x)[0])
    assert frame[:, :4].isnan().all()
    assert frame[:, 4 + 4 * height :].isnan().all()
