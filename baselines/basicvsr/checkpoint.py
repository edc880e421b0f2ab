"""Weights of BasicVSR as BasicSR names them, brought into our network."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from baselines.basicvsr.flow import LEVELS
from baselines.basicvsr.network import BLOCKS, Network


def _layer_names() -> dict[str, str]:
    """Our name -> the checkpoint's name, for every layer."""
    names = {}
    for level in range(LEVELS):
        for j in range(0, 9, 2):  # odd places hold activations
            names[f"flow.levels.{level}.{j}"] = f"spynet.basic_module.{level}.basic_module.{j}"
    for trunk in ("backward_trunk", "forward_trunk"):
        names[f"{trunk}.enter"] = f"{trunk}.main.0"
        for i in range(BLOCKS):
            for conv in ("conv1", "conv2"):
                names[f"{trunk}.blocks.{i}.{conv}"] = f"{trunk}.main.2.{i}.{conv}"
    theirs = {"fuse": "fusion", "up1": "upconv1", "up2": "upconv2", "refine": "conv_hr", "to_rgb": "conv_last"}
    names |= {f"reconstruction.{ours}": name for ours, name in theirs.items()}
    return names


def _key_names() -> dict[str, str]:
    """Our key -> the checkpoint's key, for every tensor."""
    names = {f"{ours}.{part}": f"{name}.{part}" for ours, name in _layer_names().items() for part in ("weight", "bias")}
    return names | {"flow.mean": "spynet.mean", "flow.std": "spynet.std"}


def load(path: str | Path) -> Network:
    """Build the network with the weights of a BasicSR checkpoint of BasicVSR (a `.pth` with a dict under "params").

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no checkpoint, or its keys or shapes are not those of BasicVSR with 30 blocks.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no BasicVSR weights here; fetch them again or set method.weights")
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path}: not a readable torch checkpoint ({reason}); fetch it again") from error
    stored = stored.get("params", stored) if isinstance(stored, dict) else {}

    names = _key_names()
    _refuse(path, "misses", sorted(set(names.values()) - set(stored)))
    _refuse(path, "has unknown", sorted(str(key) for key in set(stored) - set(names.values())))
    network = Network()
    state = network.state_dict()
    misshapen = [key for ours, key in names.items() if stored[key].shape != state[ours].shape]
    _refuse(path, "has wrong shapes for", misshapen)
    network.load_state_dict({ours: stored[key] for ours, key in names.items()}, strict=True)
    return network.eval().requires_grad_(False)


def _refuse(path: Path, what: str, keys: list[str]) -> None:
    if keys:
        shown = ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
        raise ValueError(f"{path}: no BasicVSR checkpoint with {BLOCKS} blocks: {what} {len(keys)} keys ({shown})")
