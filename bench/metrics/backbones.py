"""The networks behind LPIPS and DISTS: real ImageNet weights, from the packaged assets or torchvision's hub."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import torch

from bench import assets
from bench.metrics.unavailable import NotAtHand
from frames.errors import UserError, one_line
from frames.pickles import read_convolutions

# Where each network's convolutions sit: the key in the asset's tree, and the model of torchvision.
_TREE_KEY = {"alex": "AlexNet_0", "vgg": "VGG16_0"}
_ASSET = {"alex": "lpips/alexnet.ckpt", "vgg": "lpips/vgg16.ckpt"}
_TORCHVISION = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}


Convs = list[tuple[torch.Tensor, torch.Tensor]]
"""(weight OIHW, bias O) of each convolution, float32."""


@cache
def convolutions(net: str) -> Convs:
    """The ImageNet convolutions of `alex`, `vgg` (VGG-16) or `squeeze` (SqueezeNet 1.1), in the order of its layers.

    Raises:
        UserError: they are damaged, or not at hand and the hub does not answer (`NotAtHand` where only the hub has
            them); the line says where they are looked for.
    """
    if net not in _ASSET:
        return _from_torchvision(net)
    try:
        file = assets.path(_ASSET[net])
    except FileNotFoundError as missing:
        return _from_torchvision(net, missing)
    arrays = read_convolutions(file, _TREE_KEY[net])
    return [(torch.from_numpy(weight), torch.from_numpy(bias)) for weight, bias in arrays]


@cache
def lpips_heads(net: str) -> list[torch.Tensor]:
    """The linear heads of LPIPS v0.1, five or `squeeze`'s seven, each (1, C, 1, 1), out of the `lpips` package.

    The package is looked up and not imported: it would bring torchvision along, which takes seconds.
    """
    package = importlib.util.find_spec("lpips")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("No module named 'lpips'", name="lpips")
    file = Path(package.origin).parent / "weights" / "v0.1" / f"{net}.pth"
    state = torch.load(file, map_location="cpu", weights_only=True)
    return [state[f"lin{i}.model.1.weight"] for i in range(len(state))]


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


def _from_torchvision(net: str, missing: FileNotFoundError | None = None) -> Convs:
    """The convolutions of torchvision's model, from its cache or its hub.

    Args:
        missing: why the packaged weights are not there, where there are any.
    """
    import torchvision

    name = _TORCHVISION[net]
    weights = torchvision.models.get_model_weights(name).IMAGENET1K_V1
    file = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rpartition("/")[2]
    model = torchvision.models.get_model(name, weights=None)
    try:
        model.load_state_dict(weights.get_state_dict(progress=False, check_hash=True, weights_only=True))
    except OSError as error:
        if missing is not None:
            raise UserError(f"{missing}; torchvision's hub did not answer either ({one_line(error)})") from error
        raise NotAtHand(
            f"the weights of {name} are not at {file}, and torchvision's hub did not answer ({one_line(error)}); "
            "put the file there"
        ) from error
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise UserError(f"{file}: not the weights of {name} ({one_line(error)}); delete it") from error
    layers = [layer for layer in model.features.modules() if isinstance(layer, torch.nn.Conv2d)]
    return [(each.weight.detach(), each.bias.detach()) for each in layers if each.bias is not None]
