"""The networks behind LPIPS and DISTS: real ImageNet weights, from the packaged assets or torchvision's hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import torch

from bench import assets
from frames.errors import UserError, one_line
from frames.pickles import read_convolutions

# Where each network's convolutions sit: the key in the asset's tree, and the indices in torchvision's `features`.
_TREE_KEY = {"alex": "AlexNet_0", "vgg": "VGG16_0"}
_ASSET = {"alex": "lpips/alexnet.ckpt", "vgg": "lpips/vgg16.ckpt"}
_TORCHVISION = {"alex": (0, 3, 6, 8, 10), "vgg": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)}


Convs = list[tuple[torch.Tensor, torch.Tensor]]
"""(weight OIHW, bias O) of each convolution, float32."""


@cache
def convolutions(net: str) -> Convs:
    """The ImageNet convolutions of `alex` or `vgg` (VGG-16)."""
    try:
        file = assets.path(_ASSET[net])
    except FileNotFoundError as missing:
        return _from_torchvision(net, missing)
    arrays = read_convolutions(file, _TREE_KEY[net])
    return [(torch.from_numpy(weight), torch.from_numpy(bias)) for weight, bias in arrays]


@cache
def lpips_heads(net: str) -> list[torch.Tensor]:
    """The five linear heads of LPIPS v0.1, each (1, C, 1, 1), out of the `lpips` package."""
    import lpips

    file = Path(lpips.__file__).parent / "weights" / "v0.1" / f"{net}.pth"
    state = torch.load(file, map_location="cpu", weights_only=True)
    return [state[f"lin{i}.model.1.weight"] for i in range(5)]


@cache
def dists_weights() -> tuple[torch.Tensor, torch.Tensor]:
    """Alpha (structure of means) and beta (structure of covariances) of DISTS, each (1, 1475, 1, 1)."""
    state = torch.load(assets.path("dists/weights.pt"), map_location="cpu", weights_only=True)
    return state["alpha"], state["beta"]


def weights_hash(tensors: Iterable[torch.Tensor]) -> str:
    """The first eight digits of the sha256 over weights: a signature names the exact network."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:8]


def _from_torchvision(net: str, missing: FileNotFoundError) -> Convs:
    import torchvision

    build = {"alex": torchvision.models.alexnet, "vgg": torchvision.models.vgg16}[net]
    try:
        features = build(weights="IMAGENET1K_V1").features
    except OSError as error:
        raise UserError(f"{missing}; torchvision's hub did not answer either ({one_line(error)})") from error
    return [(features[i].weight.detach(), features[i].bias.detach()) for i in _TORCHVISION[net]]
