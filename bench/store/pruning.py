"""Freeing the space of a store: only its own entries, and nothing that a living process holds."""

from __future__ import annotations

import math
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.store.lock import held_by_others
from bench.store.owner import is_temporary, owner
from bench.store.store import DAMAGED, KINDS, MARKER
from frames.errors import UserError

IN_USE_S = 3600.0
"""While another process works with the store, entries that were used within this time are kept."""
_DAY_S = 86400.0
_KEY = "[0-9a-f]{64}"
_OWN = {
    "predictions": re.compile(_KEY),
    "times": re.compile(rf"{_KEY}\.json"),
    "scores": re.compile(rf"{_KEY}\.json"),
    "parts": re.compile(_KEY),
    "costs": re.compile(rf"{_KEY}\.json"),
    DAMAGED: re.compile(rf"(predictions|times|scores|parts|costs)-{_KEY}(-{_KEY})?(\.json)?-[0-9a-f]{{32}}"),
}


@dataclass
class Pruned:
    """Entries that were removed, or would be."""

    entries: int = 0
    bytes: int = 0
    in_use: bool = False  # another process works with the store, so recently used entries were kept


def prune(root: Path, days: float, dry_run: bool = False) -> Pruned:
    """Remove entries that were not used for `days` days, and temporary ones whose process is gone.

    Raises:
        UserError: `days` is no number of days, or the folder is no store.
    """
    if not 0 <= days < math.inf:
        raise UserError(f"--days {days:g}: write a number of days of at least 0")
    if not root.is_dir():
        return Pruned()
    if not (root / MARKER).is_file():
        raise UserError(f"{root}: no store (there is no {MARKER} in it); give the store's own folder with --store DIR")
    done = Pruned(in_use=held_by_others(root / MARKER))
    now = time.time()
    limit = now - max(days * _DAY_S, IN_USE_S if done.in_use else 0.0)
    for entry in _entries(root):
        try:
            if not _is_free(entry, limit, now):
                continue
            size = _size(entry)
            if not dry_run:
                _remove(entry)
        except FileNotFoundError:  # another process was quicker
            continue
        done.entries += 1
        done.bytes += size
    return done


def _entries(root: Path) -> Iterator[Path]:
    """Entries that the store itself has written, by their names; all other files belong to somebody else."""
    for kind in (*KINDS, DAMAGED):
        folder = root / kind
        if folder.is_dir() and not folder.is_symlink():
            for path in sorted(folder.iterdir()):
                if _OWN[kind].fullmatch(path.name) or is_temporary(path.name):
                    yield path


def _is_free(entry: Path, limit: float, now: float) -> bool:
    """Whether an entry may be removed: last used before `limit`, or half-written by a process that is gone."""
    used = entry.lstat().st_mtime
    if not is_temporary(entry.name):
        return used <= limit
    return {"gone": True, "alive": False, "unknown": used <= min(limit, now - IN_USE_S)}[owner(entry.name)]


def _size(entry: Path) -> int:
    if entry.is_dir() and not entry.is_symlink():
        return sum(file.lstat().st_size for file in entry.rglob("*"))
    return entry.lstat().st_size


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
