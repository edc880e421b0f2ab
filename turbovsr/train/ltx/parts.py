"""Checkpoints in parts, by torch.distributed.checkpoint: each process writes what it holds, any number can read it.

FOLDER/0000200/       the state at step 200; the last few are kept
FOLDER/*.partial/     a checkpoint that a kill cut short: not used, removed by the next save
"""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.api import CheckpointException

from frames.errors import UserError, one_line, short_line
from turbovsr.train.distributed import barrier, rank
from turbovsr.train.ltx.plain_parts import PlainPlanner, PlainReader

PARTIAL = ".partial"


def saved_steps(folder: Path) -> list[int]:
    """The steps of the complete checkpoints in a folder, ascending."""
    found = folder.iterdir() if folder.is_dir() else []
    return sorted(int(path.name) for path in found if path.name.isdigit() and path.is_dir())


def save(folder: Path, step: int, state: dict[str, Any], keep_last: int) -> None:
    """Write a state atomically, then remove all but the last `keep_last` checkpoints. All processes must call it.

    Raises:
        UserError: a process could not write its part, as on a full disk; the earlier checkpoints are kept.
    """
    partial, whole = folder / f"{step:07d}{PARTIAL}", folder / f"{step:07d}"
    if rank() == 0:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"*{PARTIAL}"):
            shutil.rmtree(leftover)
    barrier()
    try:
        dcp.save(state, checkpoint_id=partial)
    except CheckpointException as error:
        if rank() == 0:
            shutil.rmtree(partial, ignore_errors=True)
        failure, _ = next(iter(error.failures.values()))
        raise UserError(
            f"{whole}: the checkpoint could not be written ({short_line(failure)}); if the disk is full, free some"
            " space, or write to another disk"
        ) from error
    if rank() == 0:
        if whole.is_dir():  # a stop right after a save saves the same step again
            shutil.rmtree(partial)
        else:
            os.rename(partial, whole)
        _sync(folder)
        for old in saved_steps(folder)[:-keep_last]:
            shutil.rmtree(folder / f"{old:07d}")
    barrier()


def load(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Read the checkpoint of a step into the tensors of a state. All processes must call it. Nothing in it runs.

    Raises:
        ValueError: it is damaged, or was saved with other weights in it.
    """
    path = folder / f"{step:07d}"
    try:
        dcp.load(state, storage_reader=PlainReader(path), planner=PlainPlanner())
    except (
        CheckpointException,
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise ValueError(
            f"{path}: damaged, or saved with another model or other trained parts ({one_line(error)[:200]}); remove it"
            f" to resume from the checkpoint before, or {folder.parent} to start anew"
        ) from error


def _sync(folder: Path) -> None:
    """Make a renamed entry of a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
