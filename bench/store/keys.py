"""Keys: all that a result depends on, as one hash; equal keys mean that there is nothing to compute."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

SHARED, SHARED_IMPORT = "frames", b"from frames"


def prediction_key(
    method: dict[str, Any], lr_digest: str, device_class: str, identity: Mapping[str, Any] | None = None
) -> str:
    """The key of SR frames.

    Args:
        method: the method's resolved configuration (seed and precision are in it); files that it names count by
            content, its package by its source.
        lr_digest: of the LR frames (see `frames_digest`).
        device_class: "cpu" or the GPU's name, with the threads where a run sets them: the same code gives other
            digits elsewhere.
        identity: what a program says of itself (`bench.methods.contract.Identified`); None for everything else.
    """
    files = {key: _file_digest(value) for key, value in method.items() if _is_file(value)}
    parts = [method, files, source_digest(method["_target_"]), lr_digest, device_class, torch.__version__]
    return combined(*parts, *([identity] if identity else []))


def combined(*parts: Any) -> str:
    """One sha256 over plain data."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class FramesDigest:
    """sha256 over uint8 frames (H, W, 3), in order, with their sizes."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()

    def add(self, frame: np.ndarray) -> None:
        """Take in the next frame."""
        self._state.update(str(frame.shape).encode())
        self._state.update(np.ascontiguousarray(frame).data)

    def hexdigest(self) -> str:
        return self._state.hexdigest()


def frames_digest(frames: Iterable[np.ndarray]) -> str:
    """See `FramesDigest`."""
    digest = FramesDigest()
    for frame in frames:
        digest.add(frame)
    return digest.hexdigest()


@cache
def source_digest(target: str) -> str:
    """sha256 over the sources and packaged weights of the top-level package that holds a `_target_`.

    The whole package, not the one file: helpers shared inside a package change results as well, and so does `frames`,
    this project's resizing and decoding, where the package imports it.
    """
    package = target.split(".")[0]
    files = _sources(package)
    if package != SHARED and any(SHARED_IMPORT in file.read_bytes() for file in files.values() if file.suffix == ".py"):
        files |= _sources(SHARED)
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _sources(package: str) -> dict[str, Path]:
    """The files of a package that results depend on, by their place in it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ValueError(f"_target_ {package}: there is no such module")
    root = Path(spec.origin).parent
    single = Path(spec.origin).name != "__init__.py"
    kinds = (".py", ".safetensors", ".yaml")
    files = [Path(spec.origin)] if single else sorted(file for file in root.rglob("*") if file.suffix in kinds)
    return {f"{package}/{file.relative_to(root).as_posix()}": file for file in files}


def _is_file(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) < 4096 and Path(value).is_file()


@cache
def _file_digest(file: str) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
