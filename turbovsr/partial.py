"""Finished segments of a video, in a folder beside it, from which a killed run continues.

A step is an encoded segment of the video, and the SR frames that the next chunk begins with. It is complete when its
JSON file exists, which is written last; a step without one is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from frames.atomic import leftovers, replacing
from frames.door import reading
from frames.errors import UserError
from frames.locks import locked
from frames.text_files import read_json
from frames.video.segments import Segment

IDENTITY, LOCK = "run.json", "lock"
REMEDY = "--overwrite starts anew"


@dataclass(frozen=True)
class Ending:
    """End of a video: duration of its last frame, in units of the segments' times, and the input's faults, or ""."""

    last: int
    damage: str = ""


class Partial:
    """The finished steps of one output, in a folder beside it.

    Args:
        output: the video to write.
        identity: what the steps depend on, by name; steps are only used if all of it is the same.
        suffix: of the segments' files.
    """

    def __init__(self, output: Path, identity: dict[str, str], suffix: str) -> None:
        self.folder = folder_of(output)
        self._output = output
        self._identity, self._suffix = identity, suffix
        self.segments: list[Segment] = []
        self.ending: Ending | None = None

    @contextlib.contextmanager
    def claimed(self, anew: bool) -> Iterator[None]:
        """Lock the folder during the block and read its steps; remove it if the block fails before the first step.

        Args:
            anew: discard steps of another run and damaged ones, which are refused otherwise.
        Raises:
            UserError, OSError: steps of another run, or damaged ones; another process is at work here.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self.folder / LOCK, wait=False))
            except BlockingIOError:
                raise UserError(f"{self.folder}: another process is at work on this video; wait for it") from None
            for old in leftovers(self._output, self.folder):
                old.unlink()
            self._read(anew)
            try:
                yield
            except Exception:
                if not self.segments:
                    self.remove()
                raise

    @property
    def frames(self) -> int:
        """Number of finished SR frames."""
        return sum(len(segment.times) for segment in self.segments)

    def next_path(self) -> Path:
        """File for the next segment."""
        return self.folder / f"{self._name(len(self.segments))}{self._suffix}"

    def tail(self) -> list[Tensor]:
        """Read the x4 frames that the next chunk begins with, (3, 4H, 4W) each; none at the start or after the end.

        Raises:
            UserError: their file is damaged or missing.
        """
        if not self.segments or self.ending:
            return []
        path = self._tail(len(self.segments) - 1)
        try:
            with reading(path) as file:
                frames = np.load(file, allow_pickle=False)
        except (ValueError, EOFError, FileNotFoundError):
            raise self._damaged(path) from None
        if frames.ndim != 4 or frames.shape[1] != 3 or frames.dtype not in (np.uint8, np.uint16):
            raise self._damaged(path)
        return [torch.from_numpy(frame.copy()) for frame in frames]  # copies, so that each can be freed by itself

    def record_segment(self, segment: Segment, tail: list[Tensor], ending: Ending | None = None) -> None:
        """Record the segment at `next_path` as finished; the last one has an ending and no tail."""
        number = len(self.segments)
        if tail:
            with replacing(self._tail(number)) as temporary, open(temporary, "wb") as file:
                np.save(file, torch.stack(tail).cpu().numpy(), allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
        with open(segment.path, "rb") as video:
            os.fsync(video.fileno())
            digest = hashlib.file_digest(video, "sha256").hexdigest()
        step: dict[str, Any] = {"sha256": digest, "times": segment.times, "order": segment.order}
        if ending is not None:
            step |= {"last": ending.last, "damage": ending.damage}
        self._write(self._name(number), step)
        self.segments.append(segment)
        self.ending = ending
        if number:
            self._tail(number - 1).unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete the folder's own files, and the folder where nothing else is in it."""
        for path in self.folder.iterdir():
            if path.name in (IDENTITY, LOCK) or path.name.lstrip(".").startswith(("segment-", "tail-", "run.")):
                path.unlink()
        with contextlib.suppress(OSError):
            self.folder.rmdir()

    def _read(self, anew: bool) -> None:
        if (self.folder / IDENTITY).exists():
            try:
                self._check_identity()
                return self._read_steps()
            except UserError:
                if not anew:
                    raise
            self.segments, self.ending = [], None
            for old in (*self.folder.glob("segment-*"), *self.folder.glob("tail-*")):
                old.unlink()
        self._write(IDENTITY.removesuffix(".json"), self._identity)

    def _check_identity(self) -> None:
        found = read_json(self.folder / IDENTITY, REMEDY)
        known = found if isinstance(found, dict) else {}
        unlike = [name for name, value in self._identity.items() if known.get(name) != value]
        if unlike:
            raise UserError(
                f"{self.folder}: a run with other {', '.join(unlike)} was stopped here; give the same to continue it, "
                f"or {REMEDY}"
            )

    def _read_steps(self) -> None:
        while (path := self.folder / f"{self._name(len(self.segments))}.json").exists():
            step = read_json(path, REMEDY)
            video = self.next_path()
            try:
                times, order = (tuple(map(int, step[name])) for name in ("times", "order"))
                with reading(video) as file:
                    whole = hashlib.file_digest(file, "sha256").hexdigest() == step["sha256"]
                if "last" in step:
                    self.ending = Ending(int(step["last"]), str(step["damage"]))
            except (KeyError, TypeError, ValueError, FileNotFoundError):
                raise self._damaged(path) from None
            if not whole or sorted(order) != list(range(len(times))):
                raise self._damaged(video)
            self.segments.append(Segment(video, times, order))
        self.tail()  # is it readable?

    def _write(self, name: str, content: dict[str, Any]) -> None:
        with replacing(self.folder / f"{name}.json") as temporary, open(temporary, "w", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())

    def _tail(self, number: int) -> Path:
        return self.folder / f"tail-{number:06d}.npy"

    @staticmethod
    def _name(number: int) -> str:
        return f"segment-{number:06d}"

    def _damaged(self, path: Path) -> UserError:
        return UserError(f"{path}: damaged, so the run cannot continue here; delete {self.folder} to start anew")


def folder_of(output: Path) -> Path:
    """Folder in which the steps of an output are kept."""
    return output.with_name(f"{output.name}.partial")
