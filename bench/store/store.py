"""The content-addressed store: predictions, times and scores under the hash of all they depend on.

Same key: reuse; any change: another key. So a stale result cannot exist, and a new metric needs no new upscaling.

    ROOT/predictions/<key>/00000000.png ... meta.json     SR frames, lossless
    ROOT/times/<key>.json                                  every repetition of one clip
    ROOT/scores/<key>.json                                 one metric's per-frame values

Everything appears by an atomic rename, complete or not at all: a kill at any moment leaves at worst a temporary entry
(`.tmp-*`), which `prune` removes. Two runs at once at worst do the same work twice.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np

from frames.images import read_image, write_png

KINDS = ("predictions", "times", "scores")
_TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class Prediction:
    """Stored SR frames."""

    folder: Path
    sr_sha256: str
    frames: int

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield uint8 (H, W, 3) RGB frames."""
        for index in range(self.frames):
            yield read_image(self.folder / f"{index:08d}.png")


class Store:
    """One store folder; `root=None` makes a store that keeps nothing."""

    def __init__(self, root: Path | None) -> None:
        self.root = Path(root) if root else None

    def prediction(self, key: str) -> Prediction | None:
        """The frames kept under this key; marks them as used now."""
        meta = self._read("predictions", f"{key}/meta.json")
        if meta is None:
            return None
        folder = self.root / "predictions" / key
        os.utime(folder)
        return Prediction(folder, meta["sr_sha256"], meta["frames"])

    def keep_prediction(self, key: str, frames: Iterable[np.ndarray], sr_sha256: str) -> None:
        """Keep SR frames; what was there under this key is replaced."""
        if self.root is None:
            return
        temporary = self._temporary("predictions")
        try:
            temporary.mkdir(parents=True)
            count = 0
            for count, frame in enumerate(frames, 1):
                write_png(temporary / f"{count - 1:08d}.png", frame)
            (temporary / "meta.json").write_text(json.dumps({"sr_sha256": sr_sha256, "frames": count}))
            target = self.root / "predictions" / key
            if target.exists():
                os.rename(target, self._temporary("predictions"))
            os.rename(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def times(self, key: str) -> dict | None:
        return self._read("times", f"{key}.json")

    def keep_times(self, key: str, times: dict) -> None:
        self._write("times", f"{key}.json", times)

    def scores(self, key: str) -> dict | None:
        return self._read("scores", f"{key}.json")

    def keep_scores(self, key: str, scores: dict) -> None:
        self._write("scores", f"{key}.json", scores)

    def prune(self, days: float, dry_run: bool = False) -> tuple[int, int]:
        """Remove entries not used for `days` days, and what crashes left behind.

        Returns:
            (entries removed, bytes freed); with `dry_run` those that would be.
        """
        entries = size = 0
        if self.root is None:
            return entries, size
        limit = time.time() - days * 86400
        for entry in [path for kind in KINDS for path in sorted((self.root / kind).glob("*"))]:
            if entry.stat().st_mtime > limit and not entry.name.startswith(_TEMPORARY):
                continue
            entries += 1
            size += sum(file.stat().st_size for file in (entry.rglob("*") if entry.is_dir() else [entry]))
            if not dry_run:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        return entries, size

    def _read(self, kind: str, name: str) -> dict | None:
        """None when absent; an unreadable entry counts as absent and is made anew."""
        if self.root is None:
            return None
        file = self.root / kind / name
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        os.utime(file)
        return found

    def _write(self, kind: str, name: str, content: dict) -> None:
        if self.root is None:
            return
        temporary = self._temporary(kind)
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(content), encoding="utf-8")
        os.replace(temporary, self.root / kind / name)

    def _temporary(self, kind: str) -> Path:
        return self.root / kind / f"{_TEMPORARY}{uuid4().hex}"
