"""The contract between the harness and an upscaler: everything that they may know of each other.

It is structural: an upscaler needs no base class and no import from here. A class named by a config's `_target_`
that has a `descriptor` and an `upscale` method of this shape is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bench.methods.descriptor import Descriptor, FrameRule, MethodKind, Padding, SizeRule

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = [
    "Descriptor",
    "FileUpscaler",
    "FrameRule",
    "FrameSource",
    "GivenFrames",
    "Identified",
    "MethodKind",
    "Padding",
    "SizeRule",
    "Stages",
    "Upscaler",
    "no_stages",
]

Stages = Callable[[str], AbstractContextManager]
"""`with stages("encode"): ...` announces a stage of the work; the harness times it. Stages do not nest."""


def no_stages(name: str) -> AbstractContextManager:
    """The `Stages` of a caller who does not want stage times."""
    return nullcontext()


@runtime_checkable
class Upscaler(Protocol):
    """LR frames in, SR frames out."""

    descriptor: Descriptor

    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip.

        Args:
            lr: uint8 (T, 3, H, W) RGB on the descriptor's device, T >= 1; a still image is a clip of one frame.
            stages: announces stages; their times and the remainder add up to the total.
        Returns:
            uint8 (T, 3, scale*H, scale*W) RGB on the same device: rounding to 8 bits is part of the method.
        """
        ...


@runtime_checkable
class FileUpscaler(Protocol):
    """An upscaler in another environment: a program that reads files and writes files.

    Its frames are never on a device of this process, so it has only the scope `files`: from PNG frames on disk to PNG
    frames on disk, including the start of the program and all packing into and out of a video.
    """

    descriptor: Descriptor
    reads: str  # "%08d.png": a folder of PNG files of this pattern, from 0; "clip.mkv": a lossless video of this name
    writes: str  # "*.png": images that match this below a folder; "clip.mp4": a video of this name

    def upscale_files(self, lr: Path, sr: Path) -> None:
        """Upscale one clip.

        Args:
            lr: the folder or video to read.
            sr: the folder to fill (it exists and is empty) or the video to write.
        """
        ...


@runtime_checkable
class GivenFrames(Protocol):
    """SR frames that another program made, instead of an upscaler; nothing is timed."""

    descriptor: Descriptor

    def source(self, clip: str, alone: bool = False) -> FrameSource:
        """The SR frames of a clip by name.

        Args:
            alone: the data set has no other clip, so that frames without a clip's name are this one's.
        Raises:
            FileNotFoundError: there are none for this clip.
        """
        ...


@runtime_checkable
class Identified(Protocol):
    """An optional ability: output that depends on more than the configuration, such as a program's version."""

    identity: dict[str, Any]  # plain data, part of the store's key


class FrameSource(Protocol):
    """Frames that are read when iterated over."""

    @property
    def where(self) -> str:
        """The folder or file, for messages."""
        ...

    @property
    def frames(self) -> int:
        """The number of frames."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        ...

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield uint8 (H, W, 3) RGB frames of `size`, one decoded at a time."""
        ...
