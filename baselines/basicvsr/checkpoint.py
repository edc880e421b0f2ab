"""Weights of BasicVSR as BasicSR names them, brought into our network."""

from __future__ import annotations

from pathlib import Path

from baselines.basicvsr.flow import LEVELS
from baselines.basicvsr.network import BLOCKS, Network
from baselines.checkpoints import read_state

RELEASES = {  # sha256 of the checkpoints that the authors released
    "543c826113a9efdc971572320a9e259833fc230f843d94f7ef7270c92b5ea4dc",  # reds4
    "2a29695a2607a10db193234cae388a2b486862aacf636e0b6f8bc218a9cba401",  # vimeo_bi
    "e9bf46ebb478abfc3002572ae67194f6b99fed5070262d75ec537f9b9df4477e",  # vimeo_bd
}


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
    """Build the network with the weights of a BasicSR checkpoint of BasicVSR (a `.pth`; see `read_state`).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no checkpoint, or its keys or shapes are not those of BasicVSR with 30 blocks.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no BasicVSR weights here; fetch them again or set method.weights")
    stored = read_state(path)

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
