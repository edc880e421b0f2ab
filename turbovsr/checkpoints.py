"""The checkpoint format: safetensors, with the kind and the configuration of the model in the file's metadata.

This file knows the format and no model; `turbovsr.loading` knows which class belongs to which kind.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from frames.text_files import parse_json
from turbovsr.weights_file import mismatch, open_weights, read_shapes, read_tensors, shapes_of

PACKAGED = Path(__file__).parent / "weights"
FORMAT = "turbovsr-1"
LARGEST_OPTION = 16384  # of whole numbers in a configuration: LTX-Video's largest width is 4096

Network = TypeVar("Network", bound=nn.Module)


@dataclasses.dataclass(frozen=True)
class Header:
    """Description of a model in a checkpoint, read without its weights."""

    path: Path
    kind: str  # "nano" or "ltx"
    config: dict[str, Any]
    metadata: dict[str, str]  # provenance, licence, notes; one line each
    tensors: int


class SavableModel(Protocol):
    """A model that can be saved: with a kind, and a configuration that is a dataclass of plain values."""

    @property
    def kind(self) -> str: ...

    @property
    def config(self) -> Any: ...

    def state_dict(self) -> Mapping[str, Any]: ...


def save(model: SavableModel, path: str | Path, dtype: torch.dtype = torch.float16, **notes: str) -> None:
    """Write the weights and the configuration of a model.

    Args:
        dtype: of the weights in the file.
        notes: provenance and licence, for the metadata.
    """
    state = {name: value.detach().to(dtype).contiguous() for name, value in model.state_dict().items()}
    metadata = {"format": FORMAT, "kind": model.kind, "config": json.dumps(dataclasses.asdict(model.config))} | notes
    path = Path(path)
    path.touch()
    permissions = path.stat().st_mode
    try:
        save_file(state, str(path), metadata)
    except SafetensorError as error:
        if number := re.search(r"\(os error (\d+)\)", str(error)):
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
        raise
    path.chmod(permissions)  # safetensors leaves 0600, those of a temporary file
    _sort_metadata(path)


def _sort_metadata(path: Path) -> None:
    """Sort the metadata of a file of safetensors, whose order is random: equal models make equal files."""
    with open(path, "r+b") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode().ljust(size)
        assert len(text) == size, "the weights would move"
        file.seek(8)
        file.write(text)


def samples_latent(use_latent: bool | None, steps: int, metadata: Mapping[str, str]) -> bool:
    """Whether a latent is sampled: as asked for; if None, with several steps, or with one unless the weights say no.

    Raises:
        ValueError: `use_latent` is none of True, False and None.
    """
    if use_latent is None:
        return steps > 1 or metadata.get("use_latent") != "false"
    if not isinstance(use_latent, bool):
        raise ValueError(f"use_latent={use_latent}: write true, false, or null for what the weights say")
    return use_latent


def packaged() -> list[str]:
    """The names of the models that come with the package."""
    return sorted(path.stem for path in PACKAGED.glob("*.safetensors"))


def resolve(name_or_path: str | Path | None) -> Path:
    """Find the file of packaged weights ("nano"; None means "nano") or of a path.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = PACKAGED / f"{name_or_path or 'nano'}.safetensors"
    if path.is_file():
        return path
    path = Path(name_or_path or path)
    if not path.exists():
        known = ", ".join(packaged()) or "none"
        raise FileNotFoundError(f"{path}: no such weights; give a .safetensors file or a packaged name ({known})")
    return path


def read_header(path: str | Path) -> Header | None:
    """Read the header of a file that `save` wrote; None for any other .safetensors file.

    Raises:
        FileNotFoundError, ValueError: as `turbovsr.weights_file.open_weights`.
        ValueError, UserError: the file names this format, but its configuration is missing or not readable.
    """
    path = Path(path)
    with open_weights(path) as file:
        metadata, tensors = file.metadata() or {}, len(file.keys())
    if metadata.get("format") != FORMAT:
        return None
    if "config" not in metadata:
        raise ValueError(f"{path}: no configuration in its metadata, so the model's shape is not known; get it again")
    config = parse_json(metadata["config"], f"{path}: its configuration", "get the file again")
    if not isinstance(config, dict):
        raise ValueError(f"{path}: its configuration is no mapping of options; get the file again")
    lines = {name: " ".join(text.split())[:1000] for name, text in metadata.items() if name != "config"}
    return Header(path, lines.get("kind", "nano"), config, lines, tensors)


def build(header: Header, network: type[Network], config: type) -> Network:
    """Build the model that a checkpoint describes and fill it, in the file's precision.

    The model is built without memory for its weights and compared with the file's header before any weight is read.

    Args:
        network, config: the classes of the model and of its configuration, as in `turbovsr.loading.KINDS`.
    Returns:
        The model in evaluation mode, without gradients.
    Raises:
        ValueError: the configuration is not of this kind or absurd, keys or shapes are not the model's, or weights are
            not finite numbers.
    """
    options = checked_options(header, config)
    try:
        with torch.device("meta"):
            model = network(config(**options))
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise ValueError(f"{header.path}: no model has its configuration ({error})") from error
    with open_weights(header.path) as file:
        wrong = mismatch(shapes_of(model.state_dict()), read_shapes(file, header.path))
        if wrong:
            raise ValueError(f"{header.path}: wrong weights for this model: {wrong}")
        state = read_tensors(file, header.path, model.state_dict())
    model.load_state_dict(state, assign=True)
    return model.eval().requires_grad_(False)


def fill(model: nn.Module, state: Mapping[str, Tensor], origin: str) -> None:
    """Copy a state dict into a model.

    Args:
        origin: what to call the weights in messages.
    Raises:
        ValueError: keys missing, unexpected or of another shape.
    """
    wrong = mismatch(shapes_of(model.state_dict()), shapes_of(state))
    if wrong:
        raise ValueError(f"{origin}: wrong weights for this model: {wrong}")
    model.load_state_dict(state)


def checked_options(header: Header, config: type) -> dict[str, Any]:
    """Check the options of a checkpoint's configuration; returns them with lists as tuples.

    Args:
        config: the dataclass of the configuration.
    Raises:
        ValueError: an unknown option, or a value of another type than the default's or absurdly large.
    """
    defaults = {field.name: getattr(config(), field.name) for field in dataclasses.fields(config)}
    unknown = sorted(header.config.keys() - defaults.keys())
    if unknown:
        named = ", ".join(unknown[:5])
        raise ValueError(f"{header.path}: its configuration does not fit this version of TurboVSR (unknown: {named})")
    options = {}
    for name, value in header.config.items():
        options[name] = _plain(value)
        deepest = header.tensors if "depth" in name or name.endswith("blocks") else LARGEST_OPTION
        if not _acceptable(options[name], defaults[name], deepest):
            raise ValueError(f"{header.path}: its configuration has {name}={str(value)[:80]}, which no model has")
    return options


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _acceptable(value: Any, default: Any, largest: int) -> bool:
    """Whether an option's value is of the type of its default, and whole numbers in it are at most `largest`."""
    if value is None or default is None:
        return value is None or _acceptable(value, 1, largest)
    if isinstance(default, dict):
        return isinstance(value, dict) and all(_acceptable(v, v, largest) for v in value.values())
    if isinstance(default, tuple):
        return (
            isinstance(value, tuple) and len(value) == len(default) and all(_acceptable(v, 1, largest) for v in value)
        )
    if isinstance(default, float):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e6
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int):
        return isinstance(value, int) and 0 <= value <= largest
    return isinstance(value, str) and isinstance(default, str)
