"""SR frames in the store: one PNG file a frame, and the digest that is their identity."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.store.entries import Damaged, read_entry, write_entry
from bench.store.keys import FramesDigest
from bench.store.owner import make_temporary
from frames.errors import one_line
from frames.images import read_image, write_png

META = "meta.json"


@dataclass(frozen=True)
class Meta:
    """The content of `meta.json` in a folder of frames."""

    sr_sha256: str
    frames: int


@dataclass(frozen=True)
class Prediction:
    """Stored SR frames."""

    folder: Path
    sr_sha256: str
    frames: int

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield uint8 (H, W, 3) RGB frames, one decoded at a time.

        Raises:
            Damaged: a frame is missing or unreadable, or (after the last one) they are not the frames that were kept.
        """
        digest = FramesDigest()
        for frame in self.some(range(self.frames)):
            digest.add(frame)
            yield frame
        if digest.hexdigest() != self.sr_sha256:
            raise Damaged(f"{self.folder}: these are not the frames that were kept here")

    def some(self, indices: Iterable[int]) -> Iterator[np.ndarray]:
        """Yield some of the frames, without checking that they are those that were kept.

        Raises:
            Damaged: a frame is missing or unreadable.
        """
        for index in indices:
            file = self.folder / f"{index:08d}.png"
            try:
                yield read_image(file)
            except (OSError, ValueError) as error:
                raise Damaged(one_line(error)) from error

    def check(self) -> None:
        """Read and verify all frames.

        Raises:
            Damaged: they are not the frames that were kept.
        """
        for _ in self:
            pass


def write_prediction(folder: Path, frames: Iterable[np.ndarray], sr_sha256: str) -> None:
    """Write SR frames; the folder appears complete or not at all, and replaces an older one."""
    temporary, old = make_temporary(folder.parent), None
    try:
        temporary.mkdir()
        count = 0
        for frame in frames:
            write_png(temporary / f"{count:08d}.png", frame)
            count += 1
        write_entry(temporary / META, Meta(sr_sha256, count))
        if folder.exists():
            old = make_temporary(folder.parent)
            os.rename(folder, old)
        _into_place(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    finally:
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)


def _into_place(temporary: Path, folder: Path) -> None:
    """Give a complete folder its name, unless another run has just kept the same frames there."""
    try:
        os.rename(temporary, folder)
    except OSError:
        if not (folder / META).is_file():
            raise
        shutil.rmtree(temporary, ignore_errors=True)


def read_prediction(folder: Path) -> Prediction | None:
    """The frames in a folder, which are verified when they are read; None if there is no folder.

    Raises:
        Damaged: its `meta.json` is missing or damaged, or announces no frames.
        OSError: it cannot be read.
    """
    meta = read_entry(folder / META, Meta)
    if meta is None:
        if folder.is_dir() and not (folder / META).exists():
            raise Damaged(f"there is no {META}")
        return None
    if meta.frames < 1:
        raise Damaged("it announces no frames")
    return Prediction(folder, meta.sr_sha256, meta.frames)
