import pytest
import torch

from turbovsr.layers import PlainLayer, SmallerSizes, SpatialBlock


def test_plain_layers_begin_near_the_identity():
    x = torch.rand(2, 16, 12, 12)
    torch.manual_seed(0)
    y = torch.nn.Sequential(*(PlainLayer(16) for _ in range(4)))(x)
    assert torch.corrcoef(torch.stack([x.flatten(), y.flatten()]))[0, 1] > 0.7
    assert (y < 0).any(), "a share of what is negative goes through"


def test_blocks_begin_as_the_identity_and_no_layer_takes_memory_on_the_meta_device():
    x = torch.randn(1, 8, 6, 6)
    assert torch.equal(SpatialBlock(8)(x), x)
    with torch.device("meta"):
        assert all(p.is_meta for p in PlainLayer(8).parameters())


@pytest.mark.parametrize(("blocks", "reach"), [((2, 0), 9), ((2, 2), 27)])
def test_smaller_sizes_begin_as_the_identity_and_see_farther_with_a_quarter(blocks, reach):
    torch.manual_seed(0)
    x = torch.randn(1, 4, 8, 96)
    sizes = SmallerSizes(4, blocks)
    assert torch.equal(sizes(x), x)
    for value in sizes.parameters():
        torch.nn.init.normal_(value, std=0.2)
    changed = x.clone()
    changed[..., 48:52] += 1
    touched = (sizes(changed) - sizes(x)).abs().amax(dim=(0, 1, 2)).nonzero().flatten()
    assert touched.min() == 48 - reach and touched.max() == 51 + reach


def test_smaller_sizes_write_no_lattice():
    """A flat input stays flat: what one place of a smaller size says is spread smoothly, not in cells."""
    torch.manual_seed(0)
    sizes = SmallerSizes(4, (2, 2))
    for value in sizes.parameters():
        torch.nn.init.normal_(value, std=0.2)
    inner = sizes(torch.ones(1, 4, 128, 128))[..., 48:80, 48:80]  # beyond the reach of the zeros around the frame
    assert (inner - inner[..., :1, :1]).abs().max() < 1e-5
