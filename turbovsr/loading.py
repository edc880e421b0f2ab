"""Checkpoint files to models: which class belongs to which kind of file."""

from __future__ import annotations

from pathlib import Path

from turbovsr import checkpoints
from turbovsr.ltx.model import LTXConfig, LTXModel
from turbovsr.model import Model, ModelConfig

KINDS: dict[str, tuple[type[Model | LTXModel], type]] = {"nano": (Model, ModelConfig), "ltx": (LTXModel, LTXConfig)}


def load(name_or_path: str | Path | None = None) -> tuple[Model | LTXModel, dict[str, str]]:
    """Build the model of a checkpoint and fill it: nano's kind in float32, the LTX kind in the file's precision.

    Args:
        name_or_path: a packaged name ("nano", "nano-real"; None: "nano") or a .safetensors file.
    Returns:
        The model in evaluation mode, and the file's metadata.
    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no TurboVSR checkpoint, or its keys or shapes are not the model's.
    """
    path = checkpoints.resolve(name_or_path)
    header = checkpoints.read_header(path)
    if header is None:
        raise ValueError(f"{path}: not a TurboVSR checkpoint: its metadata lacks format={checkpoints.FORMAT}")
    if header.kind not in KINDS:
        raise ValueError(f"{path}: a model of the kind {header.kind}, which this version of TurboVSR does not know")
    model = checkpoints.build(header, *KINDS[header.kind])
    return (model.float() if header.kind == "nano" else model), header.metadata
