"""The checkpoint format: safetensors, with the kind and the configuration of the model in the file's metadata.

This file knows the format and no model; `turbovsr.loading` knows which class belongs to which kind.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

PACKAGED = Path(__file__).parent / "weights"
FORMAT = "turbovsr-1"

Network = TypeVar("Network", bound=nn.Module)


@dataclasses.dataclass(frozen=True)
class Header:
    """What a checkpoint says of itself, read without its weights."""

    path: Path
    kind: str  # "nano" or "ltx"
    config: dict[str, Any]
    metadata: dict[str, str]  # as in the file: provenance, licence, notes


def save(model: nn.Module, path: str | Path, dtype: torch.dtype = torch.float16, **notes: str) -> None:
    """Write weights and configuration of a model that has a `kind` and a dataclass `config`.

    Args:
        notes: provenance and licence, for the metadata.
    """
    state = {name: value.detach().to(dtype).contiguous() for name, value in model.state_dict().items()}
    metadata = {"format": FORMAT, "kind": model.kind, "config": json.dumps(dataclasses.asdict(model.config))} | notes
    save_file(state, str(path), metadata)


def packaged() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(path.stem for path in PACKAGED.glob("*.safetensors"))


def resolve(name_or_path: str | Path | None) -> Path:
    """The file of a packaged model's name ("nano", or None for it) or of a path.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = PACKAGED / f"{name_or_path or 'nano'}.safetensors"
    if path.is_file():
        return path
    path = Path(name_or_path or path)
    if not path.is_file():
        known = ", ".join(packaged()) or "none"
        raise FileNotFoundError(f"{path}: no such weights; give a .safetensors file or a packaged name ({known})")
    return path


def read_header(path: str | Path) -> Header | None:
    """The header of a file that `save` wrote; None for any other, and where there is no file."""
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError):
        return None
    if metadata.get("format") != FORMAT:
        return None
    return Header(Path(path), metadata.get("kind", "nano"), json.loads(metadata["config"]), metadata)


def build(header: Header, network: type[Network], config: type) -> Network:
    """Build the model that a checkpoint describes and fill it, in the file's precision.

    Args:
        network, config: the classes of its kind.
    Returns:
        The model in evaluation mode, without gradients.
    Raises:
        ValueError: the configuration is not of this kind, or keys or shapes are not the model's.
    """
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in header.config.items()}
    try:
        with torch.device("meta"):  # weights are not drawn at random just to be replaced
            model = network(config(**options))
    except TypeError as error:
        raise ValueError(f"{header.path}: its configuration does not fit this version of TurboVSR ({error})") from error
    with safe_open(str(header.path), framework="pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}
    fill(model, state, str(header.path), assign=True)
    return model.eval().requires_grad_(False)


def fill(model: nn.Module, state: dict[str, Tensor], origin: str, assign: bool = False) -> None:
    """Load a state dict; `assign` takes the tensors as they are.

    Raises:
        ValueError: keys missing, unexpected or of another shape, all of them named.
    """
    own = model.state_dict()
    complaints = {
        "missing": sorted(own.keys() - state.keys()),
        "unexpected": sorted(state.keys() - own.keys()),
        "of another shape": sorted(k for k in own.keys() & state.keys() if own[k].shape != state[k].shape),
    }
    complaints = {kind: keys for kind, keys in complaints.items() if keys}
    if complaints:
        listed = "; ".join(f"{kind}: {', '.join(keys)}" for kind, keys in complaints.items())
        raise ValueError(f"{origin}: wrong weights for this model: {listed}")
    model.load_state_dict(state, assign=assign)
