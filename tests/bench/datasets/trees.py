"""Whole sets on disk in small: every file of a tree is a hard link to one of a few frames, so that trees are cheap."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from frames.images import write_png


class Tree:
    """Clips under a root.

    Args:
        root: the set's folder.
        store: where the frames themselves are kept.
    """

    def __init__(self, root: Path, store: Path) -> None:
        self.root, self._store = root, store

    def add(self, layout: str, clips: Iterable[str], frames: int, size: tuple[int, int], first=0, digits=8) -> None:
        """Clips of `frames` frames of size (height, width) in folders such as "GT/{clip}", numbered from `first`."""
        for clip in clips:
            folder = self.root / layout.format(clip=clip)
            folder.mkdir(parents=True)
            for index in range(frames):
                os.link(self._frame(size, index % 2), folder / f"{first + index:0{digits}d}.png")

    def _frame(self, size: tuple[int, int], phase: int) -> Path:
        file = self._store / f"{size[0]}x{size[1]}-{phase}.png"
        if not file.exists():
            y, x = np.mgrid[: size[0], : size[1]] / 5
            wave = np.stack([np.sin(x + phase), np.cos(y - phase), np.sin(x + y)], -1)
            write_png(file, (127 + 100 * wave).astype(np.uint8))
        return file
