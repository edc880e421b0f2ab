"""BasicVSR++: four passes of features through the clip, each with the features of all earlier passes."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from baselines.basicvsr import names
from baselines.basicvsr.flow import SPyNet, warp
from baselines.basicvsr.network import Residuals
from baselines.basicvsrpp.alignment import GROUPS, Alignment
from baselines.checkpoints import read_state

PASSES = ("backward_1", "forward_1", "backward_2", "forward_2")
SCALE = 4
_LAST = 64  # channels after the second upsampling, whatever the others are


class Propagation(nn.Module):
    """One pass through the clip with second-order propagation.

    Args:
        earlier: passes before this one, whose features it sees.
    """

    def __init__(self, channels: int, blocks: int, earlier: int) -> None:
        super().__init__()
        self.align = Alignment(channels)
        self.trunk = Residuals((2 + earlier) * channels, channels, blocks)

    def forward(self, spatial: list, earlier: list[list], flows: list) -> list[torch.Tensor]:
        """Compute the features of every frame in the given order, which begins with the last frame in backward passes.

        Args:
            spatial: (1, C, H, W) of each frame.
            earlier: for each pass before this one, (1, C, H, W) of each frame.
            flows: float32 (1, 2, H, W) from frame i to frame i - 1 at place i - 1.
        """
        found: list[torch.Tensor] = []
        for i, current in enumerate(spatial):
            if i == 0:
                aligned = torch.zeros_like(current)
            else:
                aligned = self._aligned(current, found[-2:], flows[max(i - 2, 0) : i]).to(current.dtype)
            seen = torch.cat([current, *(each[i] for each in earlier), aligned], dim=1)
            found.append(aligned + self.trunk(seen.contiguous(memory_format=torch.channels_last)))
        return found

    def _aligned(self, current: torch.Tensor, before: list, flows: list) -> torch.Tensor:
        """Align the features of the one or two frames before to this one; in float32, which positions need."""
        one, first = before[-1].float(), flows[-1]
        near = warp(one, first, padding="zeros")
        two, second, far = torch.zeros_like(one), torch.zeros_like(first), torch.zeros_like(one)
        if len(before) == 2:
            two = before[0].float()
            second = first + warp(flows[0], first, padding="zeros")
            far = warp(two, second, padding="zeros")
        seen = torch.cat((near, current.float(), far), dim=1)
        return self.align(torch.cat((one, two), dim=1), seen, first, second)


class Reconstruction(nn.Module):
    """Reconstruction of an SR frame from all features of the frame and the LR frame."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fuse = Residuals((1 + len(PASSES)) * channels, channels, 5)
        self.up1 = nn.Conv2d(channels, 4 * channels, 3, padding=1)
        self.up2 = nn.Conv2d(channels, 4 * _LAST, 3, padding=1)
        self.refine = nn.Conv2d(_LAST, _LAST, 3, padding=1)
        self.to_rgb = nn.Conv2d(_LAST, 3, 3, padding=1)

    def forward(self, frame: torch.Tensor, features: list[torch.Tensor]) -> torch.Tensor:
        """(1, 3, H, W) in [0, 1] and five (1, C, H, W) -> float32 (1, 3, 4H, 4W), nominally in [0, 1]."""
        x = self.fuse(torch.cat(features, dim=1).contiguous(memory_format=torch.channels_last))
        x = F.pixel_shuffle(F.leaky_relu_(self.up1(x), 0.1), 2)
        x = F.pixel_shuffle(F.leaky_relu_(self.up2(x), 0.1), 2)
        x = self.to_rgb(F.leaky_relu_(self.refine(x), 0.1)).float()
        return x + F.interpolate(frame.float(), scale_factor=SCALE, mode="bilinear", align_corners=False)


class Network(nn.Module):
    """All the weights of BasicVSR++.

    Args:
        channels: of the features: 64 in the published x4 networks.
        blocks: residual blocks of a pass: 7 there.
    """

    def __init__(self, channels: int = 64, blocks: int = 7) -> None:
        super().__init__()
        self.flow = SPyNet()
        self.extract = Residuals(3, channels, 5)
        self.passes = nn.ModuleList(Propagation(channels, blocks, earlier) for earlier in range(len(PASSES)))
        self.reconstruction = Reconstruction(channels)


def load(path: str | Path) -> Network:
    """Build the network with the weights of a checkpoint of BasicVSR++ by BasicSR or MMagic, of any width and depth.

    Raises:
        FileNotFoundError, ValueError: no readable checkpoint, or its keys or shapes are not those of BasicVSR++ for x4.
    """
    path = Path(path)
    stored = read_state(path)
    first = stored.get("feat_extract.main.0.weight")
    channels = len(first) if first is not None and first.ndim == 4 else 0
    if not channels or channels % (GROUPS // 2):
        raise ValueError(f"{path}: no BasicVSR++ checkpoint for x4 (it has no feat_extract.main.0.weight that fits)")
    stored.pop("step_counter", None)  # MMagic counts the steps of its training in the network
    blocks = names.count_blocks(stored, f"backbone.{PASSES[0]}")
    with torch.device("meta"):
        network = Network(channels, blocks)
    sources = [names.tensors(_layers(blocks, source), "flow", "spynet") for source in names.SOURCES]
    for index, name in enumerate(PASSES):
        for source in sources:
            source |= {f"passes.{index}.align.{part}": f"deform_align.{name}.{part}" for part in ("weight", "bias")}
    names.fill(network, path, stored, sources, "BasicVSR++ checkpoint")
    return network.eval().requires_grad_(False)


def _layers(blocks: int, source: names.Source) -> dict[str, str]:
    found = names.spynet("flow", "spynet", source) | names.residuals("extract", "feat_extract", 5)
    for index, name in enumerate(PASSES):
        found |= names.residuals(f"passes.{index}.trunk", f"backbone.{name}", blocks)
        for place in (0, 2, 4, 6):  # odd places hold activations
            found[f"passes.{index}.align.offsets.{place}"] = f"deform_align.{name}.conv_offset.{place}"
    found |= names.residuals("reconstruction.fuse", "reconstruction", 5)
    return found | names.upsampling("reconstruction.", "", source)
