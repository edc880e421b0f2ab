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
    """The layers of SPyNet: BasicSR counts activations as places, MMagic wraps convolutions with them."""
    names = {}
    for level in range(LEVELS):
        for place in range(0, 9, 2):  # odd places hold activations
            last = f"{place}" if source == "basicsr" else f"{place // 2}.conv"
            names[f"{ours}.levels.{level}.{place}"] = f"{theirs}.basic_module.{level}.basic_module.{last}"
    return names


def residuals(ours: str, theirs: str, blocks: int) -> dict[str, str]:
    """The layers of residual blocks behind one convolution; both sources call them alike."""
    names = {f"{ours}.enter": f"{theirs}.main.0"}
    for index in range(blocks):
        for conv in ("conv1", "conv2"):
            names[f"{ours}.blocks.{index}.{conv}"] = f"{theirs}.main.2.{index}.{conv}"
    return names


def upsampling(ours: str, theirs: str, source: Source) -> dict[str, str]:
    """The layers between features and pixels."""
    ups = ("upconv1", "upconv2") if source == "basicsr" else ("upsample1.upsample_conv", "upsample2.upsample_conv")
    names = {"up1": ups[0], "up2": ups[1], "refine": "conv_hr", "to_rgb": "conv_last"}
    return {f"{ours}{mine}": f"{theirs}{name}" for mine, name in names.items()}


def basicvsr(blocks: int, source: Source, ours: str = "", theirs: str = "") -> dict[str, str]:
    """All layers of BasicVSR, below these prefixes."""
    trunk = "trunk" if source == "basicsr" else "resblocks"
    names = spynet(f"{ours}flow", f"{theirs}spynet", source)
    for direction in ("backward", "forward"):
        names |= residuals(f"{ours}{direction}_trunk", f"{theirs}{direction}_{trunk}", blocks)
    names[f"{ours}reconstruction.fuse"] = f"{theirs}fusion"
    return names | upsampling(f"{ours}reconstruction.", theirs, source)


def tensors(layers: dict[str, str], flow: str, spynet: str) -> dict[str, str]:
    """Our key -> their key, for every tensor of these layers and for SPyNet's two constants.

    Args:
        flow, spynet: our name of the flow network, and theirs.
    """
    names = {f"{ours}.{part}": f"{name}.{part}" for ours, name in layers.items() for part in ("weight", "bias")}
    return names | {f"{flow}.{constant}": f"{spynet}.{constant}" for constant in ("mean", "std")}


def fill(
    network: nn.Module, path: Path, stored: dict[str, torch.Tensor], sources: Sequence[dict[str, str]], what: str
) -> None:
    """Give a network the tensors of a checkpoint.

    A network whose sizes a checkpoint tells is built on the meta device: a few tensors of it could ask for any memory.

    Args:
        path: the checkpoint, for messages.
        sources: for each source our key -> its key; the one that the checkpoint fits best counts.
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
    """How many residual blocks a checkpoint has below the name `theirs`."""
    return sum(name.startswith(f"{theirs}.main.2.") and name.endswith(".conv1.weight") for name in stored)
