"""Frames of a clip for the page that can still be read, and the reasons for missing ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

LR, GT = "lr", "gt"

Read = Callable[[], Iterator[np.ndarray]]
"""Reads a source anew: yields uint8 (H, W, 3) RGB frames from the first one on."""


@dataclass
class Material:
    """The frames of one clip. `sources` are "lr", "gt" and "sr:METHOD"; all but LR have the size `size`."""

    data: str
    clip: str
    frames: int
    scale: int
    size: tuple[int, int]  # (height, width) of SR
    sources: dict[str, Read] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)  # source -> reason

    @property
    def place(self) -> tuple[str, str]:
        """(data, clip)."""
        return self.data, self.clip

    @property
    def lr_size(self) -> tuple[int, int]:
        return self.size[0] // self.scale, self.size[1] // self.scale

    @property
    def full_size(self) -> list[str]:
        """The sources that have the size of SR."""
        return [name for name in self.sources if name != LR]

    def drop(self, source: str, reason: str) -> None:
        """Make a source that turned out to be unreadable absent."""
        self.sources.pop(source, None)
        self.absent[source] = reason


def sr(method: str) -> str:
    """The name of a method's source."""
    return f"sr:{method}"
