import torch

from turbovsr.layers import PlainLayer, SpatialBlock


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
