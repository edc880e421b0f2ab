"""Options that name files: a list or a folder of files is a sweep over them.

A method's configuration lists these options: `_files: {weights: [.pth, .safetensors]}`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from bench.overrides import Value, literal
from frames.errors import UserError
from frames.listing import natural_key


def suffixes_of(config: DictConfig) -> dict[str, tuple[str, ...]]:
    """Options of a composed configuration that take files: dotted key -> suffixes."""
    declared = config.method.get("_files") or {}
    return {f"method.{key}": tuple(suffixes) for key, suffixes in declared.items()}


def expand_files(key: str, values: Iterable[Value], suffixes: tuple[str, ...]) -> tuple[Value, ...]:
    """The values of an option, with each folder and each list replaced by its files.

    Labels are the files' names, or their paths where two names are alike.

    Raises:
        UserError: a folder without such files.
    """
    found: list[Value] = []
    for value in values:
        for path in _listed(value):
            found += _of_folder(key, Path(path), suffixes) if Path(path).is_dir() else [Value(literal(path), path)]
    names = [Path(value.label).name for value in found]
    if len(set(names)) == len(names):
        return tuple(value._replace(label=name) for value, name in zip(found, names, strict=True))
    return tuple(found)


def _listed(value: Value) -> list[str]:
    if not (value.label.startswith("[") and value.label.endswith("]")):
        return [value.label]
    (parsed,) = OverridesParser.create().parse_overrides([f"x={value.text}"])
    given = parsed.value()
    return [str(getattr(each, "text", each)) for each in given] if isinstance(given, list) else [value.label]


def _of_folder(key: str, folder: Path, suffixes: tuple[str, ...]) -> list[Value]:
    files = sorted((file for file in folder.iterdir() if _is_one(file, suffixes)), key=natural_key)
    if not files:
        raise UserError(f"{key}={folder}: no {', '.join(suffixes)} file in this folder")
    return [Value(literal(str(file)), str(file)) for file in files]


def _is_one(file: Path, suffixes: tuple[str, ...]) -> bool:
    return file.suffix.lower() in suffixes and not file.name.startswith(".")
