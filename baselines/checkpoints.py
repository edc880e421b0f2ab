"""Reading of torch checkpoints in their common forms: wrapped in dicts, with prefixes, of known or unknown origin."""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from frames.door import open_regular

WRAPPERS = ("params_ema", "params", "state_dict", "generator", "model", "net_g")
"""Keys under which trainers put the weights; where several are there, the first of these counts."""
PREFIXES = ("module.", "generator.", "model.", "net_g.")
"""Prefixes that trainers put before every name of a tensor."""
PARTS = ("generator_ema.", "generator.")
"""Prefixes of the upscaler in a checkpoint that also holds a discriminator, losses or counters, which are left out."""


LARGEST_VIEW = 64 << 20
"""Bytes of the largest tensor that may be a view of fewer stored ones, such as a repeated buffer."""
_GLOBAL = re.compile(r"GLOBAL (\S+) (?:was not an allowed global|whose module)")
_TORCHSCRIPT = re.compile(r"[^/]*/(code/.*|constants\.pkl)")


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a checkpoint by name, without wrappers and prefixes. Nothing in the file runs.

    Raises:
        FileNotFoundError, ValueError: the file cannot be read, or holds no tensors; one line that names what it holds.
    """
    tensors = unwrapped(path, read_stored(path))
    while prefix := _prefix(tensors):
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    return tensors


def _prefix(tensors: Iterable[str]) -> str | None:
    """The prefix to remove: one that all names have, or that of the upscaler among other parts; None: none."""
    every = next((each for each in PREFIXES if all(name.startswith(each) for name in tensors)), None)
    return every or next((each for each in PARTS if any(name.startswith(each) for name in tensors)), None)


def unwrapped(path: Path, stored: Any) -> dict[str, Any]:
    """Unwrap a stored checkpoint down to its innermost dict, which holds tensors by name.

    Raises:
        ValueError: there are no tensors in it.
    """
    seen: set[int] = set()  # a pickle may hold a dict that contains itself
    while isinstance(stored, dict) and (inner := [name for name in WRAPPERS if isinstance(stored.get(name), dict)]):
        if id(stored) in seen:
            raise ValueError(f"{path}: a dictionary in it contains itself; fetch it again")
        seen.add(id(stored))
        stored = stored[inner[0]]
    if not isinstance(stored, dict) or not any(isinstance(value, torch.Tensor) for value in stored.values()):
        held = ", ".join(sorted(map(str, stored))[:3]) if isinstance(stored, dict) else type(stored).__name__
        raise ValueError(f"{path}: no weights in it ({held or 'it is empty'}); give a checkpoint of the network")
    return {str(name): value for name, value in stored.items()}


def read_stored(path: Path) -> Any:
    """Load a file of torch or of safetensors as it was stored. Nothing in the file runs.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not a regular file, damaged, a TorchScript program, or a pickle of more than tensors in plain
            containers; one line with the remedy.
    """
    with open_regular(path, "weights file") as stream:
        head = stream.read(9)
    try:
        if head[8:] == b"{":  # safetensors: eight bytes of length, then a JSON header
            return load_file(path)
        if zipfile.is_zipfile(path):
            _check_archive(path)
        with warnings.catch_warnings(action="ignore"):  # it warns of pickles that are newer than torch's own
            stored = torch.load(path, map_location="cpu", weights_only=True)
        _check_held(path, stored)
        return stored
    except pickle.UnpicklingError as error:
        raise _not_plain(path, str(error)) from None
    except Exception as error:  # whatever a damaged file makes of these readers
        if isinstance(error, ValueError) and str(error).startswith(f"{path}: "):
            raise
        reason = str(error).partition("\n")[0] or "it ends too soon"
        raise ValueError(f"{path}: not a readable torch checkpoint ({reason}); fetch it again") from error


def _check_archive(path: Path) -> None:
    """Refuse a program, and an archive that would become many times larger in memory than it is on the disk.

    Raises:
        ValueError: it is one.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(_TORCHSCRIPT.fullmatch(entry.filename) for entry in entries):
        raise ValueError(f"{path}: a TorchScript program, which is not run here; give the model's state dict")
    _check_size(path, sum(entry.file_size for entry in entries), 4 * path.stat().st_size)


def _check_held(path: Path, stored: Any) -> None:
    """Refuse tensors that are views of a few repeated bytes: copying one could take any amount of memory.

    Raises:
        ValueError: there is one.
    """
    waiting, seen = [stored], set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:  # a pickle may hold a list often, or inside itself
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, (list, tuple)):
            waiting += value
        elif isinstance(value, torch.Tensor) and value.layout == torch.strided:
            _check_size(path, value.numel() * value.element_size(), value.untyped_storage().nbytes())


def _check_size(path: Path, said: int, held: int) -> None:
    """Raise ValueError if more bytes are announced than are held, beyond what a small view may."""
    if said > max(LARGEST_VIEW, held):
        raise ValueError(f"{path}: it says {said >> 20} MiB of tensors and holds less; fetch it again")


def _not_plain(path: Path, message: str) -> ValueError:
    """Error for a pickle that torch refuses, with the class that it asks for."""
    found = _GLOBAL.search(message)
    if found is None:
        return ValueError(f"{path}: not a readable torch checkpoint (no pickle of weights); fetch it again")
    name = found[1]
    if name.startswith(("numpy.", "_codecs")):
        held = f"numpy values beside the weights ({name})"
    else:
        held = f"more than tensors ({name}): a whole model, or code that would run"
    remedy = "save its weights alone: torch.save(model.state_dict(), FILE)"
    return ValueError(f"{path}: not a readable torch checkpoint: it holds {held}; {remedy}")


def origin(path: str | Path, releases: Set[str], release: str, name: str = "") -> str:
    """Describe a weights file for a descriptor, as a released file or as a file of the user's.

    Args:
        releases: sha256 of the released files.
        release: description of the released files.
        name: name of a released file's model, put before the file name.
    """
    path = Path(path)
    with open(path, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest in releases:
        return f"{name}: {path.name}, {release}" if name else f"{path.name}, {release}"
    return f"{path.name}, a file of the user's (sha256 {digest[:12]})"
