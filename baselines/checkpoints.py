"""Checkpoints of torch as people pass them on: wrapped in dicts, with prefixes, of known or unknown origin."""

from __future__ import annotations

import hashlib
from collections.abc import Set
from pathlib import Path
from typing import Any

import torch

WRAPPERS = ("params_ema", "params", "state_dict", "generator", "model", "net_g")
"""Keys under which trainers put the weights; where several are there, the first of these counts."""
PREFIXES = ("module.", "generator.", "model.", "net_g.")
"""Prefixes that trainers put before every name of a tensor."""


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name, without wrappers and prefixes. Nothing in the file runs.

    Raises:
        ValueError: the file cannot be read, or holds no tensors; one line that names what it holds.
    """
    try:
        stored: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged file makes of torch's reader
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path}: not a readable torch checkpoint ({reason}); fetch it again") from error
    while isinstance(stored, dict) and (inner := [name for name in WRAPPERS if isinstance(stored.get(name), dict)]):
        stored = stored[inner[0]]
    if not isinstance(stored, dict) or not any(isinstance(value, torch.Tensor) for value in stored.values()):
        held = ", ".join(sorted(map(str, stored))[:3]) if isinstance(stored, dict) else type(stored).__name__
        raise ValueError(f"{path}: no weights in it ({held or 'it is empty'}); give a checkpoint of the network")
    tensors = {str(name): value for name, value in stored.items()}
    while prefix := next((each for each in PREFIXES if all(name.startswith(each) for name in tensors)), None):
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def origin(path: str | Path, releases: Set[str], release: str, name: str = "") -> str:
    """A weights file in a descriptor: what was released is said to be so, anything else is a file of the user's.

    Args:
        releases: sha256 of the released files.
        release: what is said of those.
        name: what a released one is called, before its file name.
    """
    path = Path(path)
    with open(path, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest in releases:
        return f"{name}: {path.name}, {release}" if name else f"{path.name}, {release}"
    return f"{path.name}, a file of the user's (sha256 {digest[:12]})"
