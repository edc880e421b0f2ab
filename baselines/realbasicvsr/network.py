"""RealBasicVSR: a cleaning network before BasicVSR, applied until little is left to clean."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from baselines.basicvsr import names
from baselines.basicvsr.network import CHANNELS, Network, Residuals
from baselines.checkpoints import read_state

MOST_CLEANINGS = 3


class Cleaning(nn.Module):
    """The network that cleans LR frames: (N, 3, H, W) RGB in [0, 1] -> the residue to add, (N, 3, H, W).

    Args:
        blocks: residual blocks.
    """

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.features = Residuals(3, CHANNELS, blocks)
        self.to_rgb = nn.Conv2d(CHANNELS, 3, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.to_rgb(self.features(x))


class RealNetwork(nn.Module):
    """All the weights of RealBasicVSR."""

    def __init__(self, cleaning_blocks: int, blocks: int) -> None:
        super().__init__()
        self.cleaning = Cleaning(cleaning_blocks)
        self.basicvsr = Network(blocks)

    def clean(self, clip: torch.Tensor, threshold: float) -> int:
        """Clean a float32 (T, 3, H, W) clip in place, three times at most.

        Args:
            threshold: stop when the mean size of the residue over the clip is below it, in [0, 1].
        Returns:
            How often it was cleaned.
        """
        count = 0
        while count < MOST_CLEANINGS:
            count += 1
            sizes = []
            for frame in clip:
                residue = self.cleaning(frame[None].to(self.cleaning.to_rgb.weight.dtype))[0].float()
                frame += residue
                sizes.append(residue.abs().mean())
            if torch.stack(sizes).mean() < threshold:
                break
        return count


def load(path: str | Path) -> RealNetwork:
    """Build the network with the weights of a checkpoint of RealBasicVSR by MMagic (MMEditing) or its authors.

    If it has the generator's averaged weights, those are used.

    Raises:
        FileNotFoundError, ValueError: no readable checkpoint, or its keys or shapes are not those of RealBasicVSR.
    """
    path = Path(path)
    stored = read_state(path)
    cleaning = names.count_blocks(stored, "image_cleaning.0")
    blocks = names.count_blocks(stored, "basicvsr.backward_resblocks")
    network = RealNetwork(cleaning, blocks)
    layers = names.residuals("cleaning.features", "image_cleaning.0", cleaning)
    layers |= {"cleaning.to_rgb": "image_cleaning.1"} | names.basicvsr(blocks, "mmagic", "basicvsr.", "basicvsr.")
    source = names.tensors(layers, "basicvsr.flow", "basicvsr.spynet")
    names.fill(network, path, stored, [source], "RealBasicVSR checkpoint")
    return network.eval().requires_grad_(False)
