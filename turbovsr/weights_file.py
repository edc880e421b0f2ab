"""Safe reading of .safetensors files; every fault is one line that names the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from frames.door import open_regular

TYPES = ("F64", "F32", "F16", "BF16")
MOST_VALUES = 8_000_000_000  # four times what LTX-Video 2B and its autoencoder hold
ZIP, PICKLE = b"PK\x03\x04", b"\x80"  # torch.save: a zip archive since 1.6, a bare pickle before
NAMED = 10  # names that a message lists of each kind

Shapes = Mapping[str, tuple[int, ...]]


@contextmanager
def open_weights(path: Path) -> Iterator[Any]:
    """Open a .safetensors file; gives safetensors' handle. Nothing in the file is executed, no weight is read yet.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a folder or a pipe, a pickled checkpoint, another format, or a damaged file.
    """
    with open_regular(path) as file:
        start = file.read(8)
    # A safetensors file begins with the length of its header, which may begin with a pickle's first byte.
    if start.startswith(ZIP) or (start.startswith(PICKLE) and not start.endswith(bytes(4))):
        raise ValueError(f"{path}: a pickled checkpoint, which could run code; convert it to .safetensors")
    try:
        with safe_open(str(path), framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file, or a damaged one ({error}); get it again") from error


def read_shapes(file: Any, path: Path) -> dict[str, tuple[int, ...]]:
    """Read the shapes of all tensors, from the header alone.

    Raises:
        ValueError: a tensor of integers or of 8 bits, or more values than any model here has.
    """
    shapes = {}
    for name in file.keys():
        view = file.get_slice(name)
        if view.get_dtype() not in TYPES:
            raise ValueError(f"{path}: {name} is of type {view.get_dtype()}; weights must be one of {', '.join(TYPES)}")
        shapes[name] = tuple(view.get_shape())
    values = sum(torch.Size(shape).numel() for shape in shapes.values())
    if values > MOST_VALUES:
        raise ValueError(f"{path}: {values:,} weights, more than any model that TurboVSR knows")
    return shapes


def read_tensors(file: Any, path: Path, names: Iterable[str]) -> dict[str, Tensor]:
    """Read the tensors of these names.

    Raises:
        ValueError: one has values that are not finite.
    """
    state = {name: file.get_tensor(name) for name in names}
    for name, value in state.items():
        if not value.isfinite().all():
            raise ValueError(f"{path}: {name} has values that are not finite (NaN or infinite); get the file again")
    return state


def mismatch(wanted: Shapes, found: Shapes, unexpected: Iterable[str] = ()) -> str:
    """Describe by name how weights differ from those that a model needs; empty if they fit.

    Args:
        wanted: shapes that the model has.
        found: shapes that the file has, under the model's names.
        unexpected: names in the file that have no counterpart in the model.
    """
    complaints = {
        "missing": sorted(wanted.keys() - found.keys()),
        "unexpected": sorted({*unexpected, *(found.keys() - wanted.keys())}),
        "of another shape": [
            f"{name} {tuple(found[name])} for {tuple(wanted[name])}"
            for name in sorted(wanted.keys() & found.keys())
            if tuple(found[name]) != tuple(wanted[name])
        ],
    }
    return "; ".join(f"{kind}: {_listed(names)}" for kind, names in complaints.items() if names)


def shapes_of(state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """The shapes of a state dict."""
    return {name: tuple(value.shape) for name, value in state.items()}


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
