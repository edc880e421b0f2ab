"""Keys: all that a result depends on, as one hash; equal keys mean that there is nothing to compute."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from os.path import expanduser, isdir, isfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from frames.listing import files_below

SHARED, HARNESS = "frames", "bench"
WORDS = ("_target_", "name", "label", "summary")
"""Options that are no paths, even where a folder has such a name: a checkout of this project has one, `turbovsr`."""
INSTALLED = ("site-packages", "dist-packages")
"""Folders of packages that have versions; a method's imports from them are none of its own sources."""
_SOURCES = (".py", ".so", ".pyd", ".dll", ".dylib", ".c", ".cc", ".cpp", ".cu", ".cuh", ".h", ".hpp", ".glsl", ".comp")
_OPTIONS = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg", ".param", ".prototxt", ".xml")
_ARRAYS = (".npz", ".npy", ".bin", ".h5", ".hdf5", ".mat", ".pkl", ".pickle", ".msgpack", ".tar")  # as in .pth.tar
_NETWORKS = (".safetensors", ".pth", ".pt", ".pt2", ".ckpt", ".onnx", ".pb", ".tflite", ".keras", ".pdparams", ".gguf")
_COMPILED = (".engine", ".trt", ".plan", ".mlmodel", ".caffemodel")
KINDS = (*_SOURCES, *_OPTIONS, *_ARRAYS, *_NETWORKS, *_COMPILED)
"""Suffixes of the files of a package that results depend on: sources, options and packaged weights; no texts, pictures
and results that lie beside them."""
_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+([A-Za-z_]\w*)|import[ \t]+([A-Za-z_][\w., \t]*))", re.MULTILINE)
_FIRST_WORDS = re.compile(rb"(?:^|,)[ \t]*(\w+)")


def prediction_key(
    method: dict[str, Any], lr_digest: str, device_class: str, identity: Mapping[str, Any] | None = None
) -> str:
    """The key of SR frames.

    Args:
        method: the method's resolved configuration (seed and precision are in it); files that it names count by
            content (see `named_files`), its package by its source.
        lr_digest: of the LR frames (see `frames_digest`).
        device_class: "cpu" or the GPU's name, with the threads where a run sets them: the same code gives other
            digits elsewhere.
        identity: state of a method beyond its options (`bench.methods.contract.Identified`); files in lists, tables and
            folders of its options then count by this alone. None for most.
    """
    files = {key: file_digest(file) for key, file in named_files(method, deep=identity is None).items()}
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
        """Add the next frame."""
        self._state.update(str(frame.shape).encode())
        self._state.update(np.ascontiguousarray(frame).data)

    def hexdigest(self) -> str:
        return self._state.hexdigest()


def frames_digest(frames: Iterable[np.ndarray]) -> str:
    """The `FramesDigest` of uint8 (H, W, 3) frames, in hexadecimal."""
    digest = FramesDigest()
    for frame in frames:
        digest.add(frame)
    return digest.hexdigest()


def named_files(method: Mapping[str, Any], deep: bool) -> dict[str, str]:
    """The files that a configuration names, by dotted key.

    Args:
        deep: look into lists, tables and folders, too. In a folder hidden files and byte code do not count.
    Returns:
        The files' paths; `~` in front is replaced by the home folder, as classes may do.
    """
    method = {key: value for key, value in method.items() if key not in WORDS}
    found = {key: expanduser(value) for key, value in method.items() if _is_path(value) and isfile(expanduser(value))}
    return found | dict(_files_below(method)) if deep else found


def option_digests(method: Mapping[str, Any], deep: bool) -> dict[str, str]:
    """The content of the files that each option names, by option: one file's sha256, or one over those of several.

    Args:
        deep: see `named_files`.
    """
    found: dict[str, dict[str, str]] = {}
    for key, file in named_files(method, deep).items():
        found.setdefault(re.split(r"[./]", key)[0], {})[key] = file_digest(file)
    return {option: combined(each) if len(each) > 1 else next(iter(each.values())) for option, each in found.items()}


def _files_below(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, (Mapping, list)):
        for name, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _files_below(inner, f"{key}.{name}" if key else str(name))
    elif _is_path(value) and isdir(folder := expanduser(value)):
        for file in files_below(Path(folder)):
            inside = file.relative_to(folder)
            if not any(part.startswith(".") or part == "__pycache__" for part in inside.parts):
                yield f"{key}/{inside.as_posix()}", str(file)
    elif _is_path(value) and isfile(named := expanduser(value)):
        yield key, named


@cache
def source_digest(target: str) -> str:
    """sha256 over the sources and packaged weights of the top-level package that holds a `_target_`.

    The whole package, not the one file: helpers shared inside a package change results as well. So do modules and
    packages that it imports and that are not installed, beside it or in a folder that it adds to `sys.path`, and
    `frames`, this project's resizing and decoding, wherever that lies. The harness does not count: it hands frames over
    and takes them.
    """
    package = target.split(".")[0]
    files = _sources(package)
    waiting = [package]
    seen = {package, HARNESS}
    while waiting:
        for name in sorted(_imported(_sources(waiting.pop())) - seen):
            seen.add(name)
            if name == SHARED or _is_source(name):
                files |= _sources(name)
                waiting.append(name)
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(name.encode())
        with open(file, "rb") as stream:
            while part := stream.read(1 << 20):
                digest.update(part)
    return digest.hexdigest()


def _imported(files: Mapping[str, Path]) -> set[str]:
    """The top-level packages that sources import."""
    names: set[str] = set()
    for file in files.values():
        if file.suffix == ".py":
            for package, packages in _IMPORT.findall(file.read_bytes()):
                names |= {each.decode() for each in _FIRST_WORDS.findall(package or packages)}
    return names


def _is_source(name: str) -> bool:
    """Whether a package is one of files that a user may edit: neither installed nor Python's own."""
    return name not in sys.stdlib_module_names and any(root.parent.name not in INSTALLED for root in _roots(name))


def _roots(package: str) -> list[Path]:
    """The folders of a package, several where it has no `__init__.py`; of a module its file; none of a built-in one."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return [Path(each) for each in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.has_location and spec.origin else []


def _sources(package: str) -> dict[str, Path]:
    """The files of a package that results depend on, by their place in it."""
    roots = _roots(package)
    if not roots:
        raise ValueError(f"_target_ {package}: there is no such module")
    found: dict[str, Path] = {}
    for root in roots:
        files = [root] if root.is_file() else sorted(file for file in files_below(root) if file.suffix in KINDS)
        around = root.parent if root.is_file() else root
        found |= {f"{package}/{file.relative_to(around).as_posix()}": file for file in files}
    return found


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) < 4096 and "\0" not in value


@cache
def file_digest(file: str) -> str:
    """The sha256 of a file's content, as this process first found it."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
