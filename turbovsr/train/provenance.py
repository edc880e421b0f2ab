"""Provenance of a stage's weights: their file, its metadata, and the settings of a stage in progress."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from frames.atomic import replacing
from frames.errors import UserError
from turbovsr import checkpoints
from turbovsr.ltx.loading import files_of
from turbovsr.train.distributed import barrier, rank
from turbovsr.train.messages import info
from turbovsr.train.options import TrainConfig

SETTINGS = (
    "data",
    "pairs",
    "weights",
    "prompt",
    "lora",
    "model",
    "degradation",
    "video_share",
    "halve_videos",
    "seed",
    "precision",
)

RESUMED = "resumed"  # key in settings.json: the settings of the last resume, where they are not those of the start


def weights_path(config: TrainConfig, name: str) -> Path:
    """Path of a stage's weights, finished or not, of packaged weights, or of a .safetensors file."""
    return Path(config.out) / f"{name}.safetensors" if name in config.stages else checkpoints.resolve(name)


def start_weights(config: TrainConfig, name: str) -> Path:
    """Path of the weights that a stage starts from. Raises `UserError` when they are missing."""
    start = config.stages[name].start
    assert start is not None
    path = weights_path(config, start)
    if not path.is_file():
        raise UserError(
            f"stage {name} starts from the weights of {start}, but {path} does not exist: train it first with"
            f" stage={start}, or everything with stage=all"
        )
    return path


def is_finished(config: TrainConfig, name: str) -> bool:
    """Whether a stage's weights exist, after all its steps and from the start weights that exist now.

    Another seed does not make it unfinished where its folder is still there: it would go on from its last step and
    write the same weights with that seed.
    """
    try:
        with safe_open(str(weights_path(config, name)), framework="pt") as file:
            metadata = file.metadata() or {}
    except (OSError, SafetensorError):
        return False
    start = config.stages[name].start
    if start and not weights_path(config, start).is_file():
        return False
    wanted = metadata_of(config, name)
    if (Path(config.out) / name / "settings.json").is_file():
        del wanted["seed"]
    return all(metadata.get(key) == value for key, value in wanted.items())


def metadata_of(config: TrainConfig, name: str) -> dict[str, str]:
    """Metadata of a stage's weights: its name, steps, seed, and the hash of the weights it started from."""
    stage = config.stages[name]
    metadata = {"stage": name, "steps": str(stage.loop.steps), "seed": str(config.seed)}
    start = stage.start or getattr(config, "weights", None)
    if start:
        path = weights_path(config, start)
        # Of a folder what is read alone: LTX's text encoder beside it has 19 GB.
        files = [file for _, file in files_of(path)] if path.is_dir() else [path]
        hashes = [_sha256(file, file.stat().st_mtime_ns) for file in files]
        metadata["start_sha256"] = (
            hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
        )
    return metadata


@cache
def _sha256(path: Path, changed: int) -> str:
    """Hash a file, once for each time of change `changed`: files of the LTX shape have gigabytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def store_settings(config: TrainConfig, name: str, folder: Path, resumes: bool) -> None:
    """Write a stage's settings beside its checkpoint; when it resumes, report those that have changed.

    The file keeps the settings that the stage was started with, and those of its last resume where they are others.

    Raises:
        UserError: the stage was started from other weights than exist now.
        ValueError: the stored settings are damaged.
    """
    kept = settings = _settings(config, name)
    path = folder / "settings.json"
    if resumes and path.is_file():
        before = _read(path)
        if before["marks"].get("start_sha256") != settings["marks"].get("start_sha256"):
            start = config.stages[name].start or "weights="
            raise UserError(
                f"{folder} was started from other weights of {start} than exist now:"
                f" remove {folder} to train {name} anew"
            )
        before.pop(RESUMED, None)
        kept = before
        if changed := _changes(before, settings):
            kept = before | {RESUMED: settings}
            info(f"resumes with other settings than it was started with: {', '.join(changed)}")
    barrier()  # all processes have read it
    if rank() == 0:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def changed_since(config: TrainConfig, name: str) -> list[str]:
    """Settings with which a stage was finished that are others now; none without an intact `settings.json`."""
    path = Path(config.out) / name / "settings.json"
    if not path.is_file():
        return []
    try:
        before = _read(path)
    except ValueError:
        return []
    last = before.get(RESUMED, before)
    return [change for change in _changes(last, _settings(config, name)) if not change.startswith("marks.")]


def _settings(config: TrainConfig, name: str) -> dict[str, Any]:
    plain = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    own = {"stage": config.stages[name], "marks": metadata_of(config, name)}
    return json.loads(json.dumps(own | {key: plain[key] for key in SETTINGS if key in plain}, default=_plain))


def _read(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        settings["marks"].get("start_sha256")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: damaged; remove {path.parent} to start anew") from error
    return settings


def _plain(value: Any) -> dict[str, Any] | str:
    if dataclasses.is_dataclass(value):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"kind": type(value).__name__} | fields
    return str(value)


def _changes(before: Any, now: Any, path: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [c for k in keys for c in _changes(before.get(k), now.get(k), f"{path}.{k}" if path else k)]
    return [] if before == now else [f"{path} {before} -> {now}"]
