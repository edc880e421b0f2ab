"""Weights as safetensors, with the model's configuration in the file's metadata."""

from __future__ import annotations

import dataclasses
import json
from contextlib import nullcontext
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from turbovsr.ltx.model import LTXConfig, LTXModel
from turbovsr.model import Model, ModelConfig

PACKAGED = Path(__file__).parent / "weights"
FORMAT = "turbovsr-1"
KINDS = {"nano": (Model, ModelConfig), "ltx": (LTXModel, LTXConfig)}  # files without a kind are the first


def save(model: Model | LTXModel, path: str | Path, dtype: torch.dtype = torch.float16, **notes: str) -> None:
    """Write the weights and the configuration; `notes` (provenance, licence) go into the metadata as they are."""
    state = {name: value.detach().to(dtype).contiguous() for name, value in model.state_dict().items()}
    kind = next(name for name, (built, _) in KINDS.items() if isinstance(model, built))
    metadata = {"format": FORMAT, "kind": kind, "config": json.dumps(dataclasses.asdict(model.config))} | notes
    save_file(state, str(path), metadata)


def packaged() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(path.stem for path in PACKAGED.glob("*.safetensors"))


def resolve(name_or_path: str | Path | None) -> Path:
    """A packaged model's name ("nano", or None for it) or a path -> the file."""
    path = PACKAGED / f"{name_or_path or 'nano'}.safetensors"
    if path.is_file():
        return path
    path = Path(name_or_path or path)
    if not path.is_file():
        known = ", ".join(packaged()) or "none"
        raise FileNotFoundError(f"{path}: no such weights; give a .safetensors file or a packaged name ({known})")
    return path


def own_metadata(path: str | Path) -> dict[str, str]:
    """The metadata of a file that `save` wrote; empty for any other, and where there is no file."""
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError):
        return {}
    return metadata if metadata.get("format") == FORMAT else {}


def load(name_or_path: str | Path | None = None) -> tuple[Model | LTXModel, dict[str, str]]:
    """Build the model a file describes and fill it: nano's kind in float32, the LTX kind in the file's precision.

    Returns:
        The model in evaluation mode, and the file's metadata.
    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no TurboVSR checkpoint, or its keys or shapes are not the model's.
    """
    path = resolve(name_or_path)
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file ({error})") from error
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path}: not a TurboVSR checkpoint: its metadata lacks format={FORMAT}")
    config = {key: tuple(v) if isinstance(v, list) else v for key, v in json.loads(metadata["config"]).items()}
    kind = metadata.get("kind", "nano")
    if kind not in KINDS:
        raise ValueError(f"{path}: a model of the kind {kind}, which this version of TurboVSR does not know")
    build, configure = KINDS[kind]
    large = kind == "ltx"  # two billion weights are not drawn at random and widened just to be replaced
    try:
        with torch.device("meta") if large else nullcontext():
            model = build(configure(**config))
    except TypeError as error:
        raise ValueError(f"{path}: its configuration does not fit this version of TurboVSR ({error})") from error
    fill(model, state if large else {name: value.float() for name, value in state.items()}, str(path), assign=large)
    return model.eval().requires_grad_(False), metadata


def fill(model: torch.nn.Module, state: dict[str, torch.Tensor], origin: str, assign: bool = False) -> None:
    """Load a state dict, or name in one error all that does not fit; `assign` takes the tensors as they are."""
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
