"""The networks behind LPIPS and DISTS: real ImageNet weights, from the packaged assets or torchvision's hub."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import torch

from bench import assets
from frames.errors import UserError, one_line

# Where each network's convolutions sit: the key in the asset's tree, and the indices in torchvision's `features`.
_TREE_KEY = {"alex": "AlexNet_0", "vgg": "VGG16_0"}
_ASSET = {"alex": "lpips/alexnet.ckpt", "vgg": "lpips/vgg16.ckpt"}
_TORCHVISION = {"alex": (0, 3, 6, 8, 10), "vgg": (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)}


class _NumpyUnpickler(pickle.Unpickler):
    """Reads numpy arrays in plain containers and nothing else: the file comes from outside."""

    _ALLOWED = {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
    }

    def find_class(self, module: str, name: str):
        if (module, name) == ("flax.core.frozen_dict", "FrozenDict"):
            return dict
        if (module, name) in self._ALLOWED:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a weights file")


def read_numpy_pickle(file: Path) -> dict:
    """A pickled nested dict of numpy arrays.

    Raises:
        ValueError: the file holds anything else.
    """
    try:
        return _NumpyUnpickler(io.BytesIO(file.read_bytes())).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError) as error:
        raise ValueError(f"{file}: not a weights file of plain numpy arrays ({error})") from error


Convs = list[tuple[torch.Tensor, torch.Tensor]]
"""(weight OIHW, bias O) of each convolution, float32."""


@cache
def convolutions(net: str) -> Convs:
    """The ImageNet convolutions of `alex` or `vgg` (VGG-16)."""
    try:
        file = assets.path(_ASSET[net])
    except FileNotFoundError as missing:
        return _from_torchvision(net, missing)
    layers = read_numpy_pickle(file)[_TREE_KEY[net]]
    layers = [layers[f"Conv_{index}"] for index in range(len(layers))]
    return [(_oihw(layer["kernel"]), torch.from_numpy(np.array(layer["bias"]))) for layer in layers]


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
    """The first eight digits of the sha256 over weights: a signature names the very network."""
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


def _oihw(kernel: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.array(kernel).transpose(3, 2, 0, 1)))
