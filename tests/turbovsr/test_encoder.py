import pytest
import torch

from turbovsr.geometry import latent_frames


def test_image_latent_equals_first_frame_latent(model):
    clip = torch.rand(1, 3, 17, 64, 32) * 2 - 1
    latent = model.encoder(clip)
    assert latent.shape == (1, 32, 3, 2, 1)
    assert torch.allclose(model.encoder(clip[:, :, :1]), latent[:, :, :1], atol=1e-5)


def test_encoder_is_causal(model):
    clip = torch.rand(1, 3, 17, 32, 32) * 2 - 1
    changed = clip.clone()
    changed[:, :, 9:] = 0.5  # frames 9.. belong to the third latent frame
    before, after = model.encoder(clip), model.encoder(changed)
    assert torch.allclose(before[:, :, :2], after[:, :, :2], atol=1e-5)
    assert not torch.allclose(before[:, :, 2], after[:, :, 2], atol=1e-3)


def test_every_frame_reaches_its_latent_frame(model):
    clip = (torch.rand(1, 3, 9, 32, 32) * 2 - 1).requires_grad_()
    model.encoder(clip)[:, :, 1].sum().backward()
    assert (clip.grad.abs().sum(dim=(0, 1, 3, 4)) > 0).all()


@pytest.mark.parametrize("frames", [0, 2, 8, 16])
def test_frame_rule_is_8k_plus_1(frames):
    with pytest.raises(ValueError, match="8k\\+1"):
        latent_frames(frames)


def test_encoder_refuses_sizes_off_the_grid(model):
    with pytest.raises(ValueError, match="32m, 32n"):
        model.encoder(torch.zeros(1, 3, 1, 48, 32))
