"""Names of layers: ours, and those in checkpoints of BasicSR and MMagic (MMEditing)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from baselines.basicvsr.flow import LEVELS

Source = Literal["basicsr", "mmagic"]
SOURCES: tuple[Source, ...] = ("basicsr", "mmagic")


def spynet(ours: str, theirs: str, source: Source) -> dict[str, str]:
    """Map our names of SPyNet's layers to theirs: BasicSR numbers activations, too, MMagic wraps convolutions."""
    names = {}
    for level in range(LEVELS):
        for place in range(0, 9, 2):  # odd places hold activations
            last = f"{place}" if source == "basicsr" else f"{place // 2}.conv"
            names[f"{ours}.levels.{level}.{place}"] = f"{theirs}.basic_module.{level}.basic_module.{last}"
    return names


def residuals(ours: str, theirs: str, blocks: int) -> dict[str, str]:
    """Map our names of residual blocks after one convolution to theirs; both sources use the same names."""
    names = {f"{ours}.enter": f"{theirs}.main.0"}
    for index in range(blocks):
        for conv in ("conv1", "conv2"):
            names[f"{ours}.blocks.{index}.{conv}"] = f"{theirs}.main.2.{index}.{conv}"
    return names


def upsampling(ours: str, theirs: str, source: Source) -> dict[str, str]:
    """Map our names of the layers between features and pixels to theirs."""
    ups = ("upconv1", "upconv2") if source == "basicsr" else ("upsample1.upsample_conv", "upsample2.upsample_conv")
    names = {"up1": ups[0], "up2": ups[1], "refine": "conv_hr", "to_rgb": "conv_last"}
    return {f"{ours}{mine}": f"{theirs}{name}" for mine, name in names.items()}


def basicvsr(blocks: int, source: Source, ours: str = "", theirs: str = "") -> dict[str, str]:
    """Map our names of all layers of BasicVSR to theirs, each below its prefix."""
    trunk = "trunk" if source == "basicsr" else "resblocks"
    names = spynet(f"{ours}flow", f"{theirs}spynet", source)
    for direction in ("backward", "forward"):
        names |= residuals(f"{ours}{direction}_trunk", f"{theirs}{direction}_{trunk}", blocks)
    names[f"{ours}reconstruction.fuse"] = f"{theirs}fusion"
    return names | upsampling(f"{ours}reconstruction.", theirs, source)


def tensors(layers: dict[str, str], flow: str, spynet: str) -> dict[str, str]:
    """Map our key to theirs for every tensor of these layers and for SPyNet's two constants.

    Args:
        flow, spynet: our name of the flow network, and theirs.
    """
    names = {f"{ours}.{part}": f"{name}.{part}" for ours, name in layers.items() for part in ("weight", "bias")}
    return names | {f"{flow}.{constant}": f"{spynet}.{constant}" for constant in ("mean", "std")}


def fill(
    network: nn.Module, path: Path, stored: dict[str, torch.Tensor], sources: Sequence[dict[str, str]], what: str
) -> None:
    """Load the tensors of a checkpoint into a network.

    A network whose sizes come from a checkpoint should be on the meta device: a small file could ask for any memory.

    Args:
        path: the checkpoint, for messages.
        sources: for each source our key -> its key; the one that fits the checkpoint best is used.
        what: what the checkpoint should be, for messages: "BasicVSR checkpoint with 30 blocks".
    Raises:
        ValueError: tensors that are missing, unknown or of another shape; one line.
    """
    names = max(sources, key=lambda each: len(set(each.values()) & set(stored)))

    def refuse(problem: str, keys: list[str]) -> None:
        if keys:
            shown = ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
            raise ValueError(f"{path}: no {what}: {problem} {len(keys)} keys ({shown})")

    refuse("misses", sorted(set(names.values()) - set(stored)))
    refuse("has unknown", sorted(str(key) for key in set(stored) - set(names.values())))
    state = network.state_dict()
    refuse("has wrong shapes for", [key for ours, key in names.items() if stored[key].shape != state[ours].shape])
    given = {ours: stored[key].to(state[ours].dtype).contiguous() for ours, key in names.items()}
    network.load_state_dict(given, strict=True, assign=True)


def count_blocks(stored: dict[str, torch.Tensor], theirs: str) -> int:
    """Count the residual blocks of a checkpoint below the name `theirs`."""
    return sum(name.startswith(f"{theirs}.main.2.") and name.endswith(".conv1.weight") for name in stored)
