import torch

from frames.bicubic import bicubic
from turbovsr.rearrange import pixel_shuffle
from turbovsr.upsampling import bicubic_upsample


def test_bicubic_as_a_convolution_is_bicubic_borders_included():
    lr = torch.rand(2, 3, 7, 5) * 2 - 1
    assert torch.allclose(pixel_shuffle(bicubic_upsample(lr)), bicubic(lr, (28, 20)), atol=2e-6)


def test_bicubic_that_was_first_used_for_inference_serves_training():
    with torch.inference_mode():
        bicubic_upsample(torch.rand(1, 3, 4, 4))
    lr = torch.rand(1, 3, 4, 4, requires_grad=True)
    bicubic_upsample(lr).sum().backward()
    assert torch.allclose(lr.grad.sum(), torch.tensor(3.0 * 16 * 16), rtol=1e-4)
