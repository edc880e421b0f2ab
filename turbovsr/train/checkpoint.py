"""Checkpoints of a stage: the state from which training resumes bit-exactly."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from frames.atomic import replacing
from frames.errors import one_line

NAME = "checkpoint.pt"


def remove_torn(folder: Path) -> None:
    """Delete unfinished files of saves that were killed; no other process may be saving in this folder."""
    for torn in folder.glob(f".{Path(NAME).stem}.*{Path(NAME).suffix}"):
        torn.unlink(missing_ok=True)


def save(path: Path, state: dict) -> None:
    """Write a state atomically: neither a kill nor a power cut can damage the previous one."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:  # on a full disk, as torch closes the archive after the system's error
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> dict:
    """Read a state onto the CPU.

    Raises:
        ValueError: the file is damaged or not a checkpoint.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        missing = {"step", "model", "ema", "optimizer"} - state.keys()
    except OSError:
        raise
    except Exception as error:  # whatever a damaged file makes of torch's reader
        raise ValueError(f"{path}: damaged ({one_line(error)[:200]}); remove {path.parent} to start anew") from error
    if missing:
        raise ValueError(f"{path}: not a checkpoint of a stage; remove {path.parent} to start anew")
    return state
