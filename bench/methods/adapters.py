"""The three kinds of methods behind one interface, and the only place that tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.datasets.clip import Clip
from bench.methods import calls
from bench.methods.arithmetic import NOT_COUNTABLE, Macs, count_macs
from bench.methods.contract import Descriptor, FileUpscaler, FrameSource, GivenFrames, Identified, Upscaler
from bench.methods.programs import on_program
from bench.methods.settings import OwnSettings
from bench.timing.measure import Call


class InProcess:
    """An upscaler in this process: timed in every scope."""

    elsewhere = False

    def __init__(self, method: Upscaler, device: str, own: OwnSettings) -> None:
        self.method, self.device, self.own = method, device, own
        self._macs: dict[tuple[int, ...], Macs] = {}

    def scopes(self, wanted: list[str]) -> list[str]:
        return wanted

    def call(self, scope: str, lr: list[np.ndarray], clip: Clip, folder: Path | None) -> Call:
        """The call that is timed.

        Args:
            folder: for files of the scope `files`.
        """
        if scope == "tensors" or folder is None:
            return calls.on_tensors(self.method, lr, self.device)
        return calls.on_files(self.method, lr, self.device, folder)

    def macs(self, lr: list[np.ndarray]) -> Macs:
        """The MACs of one clip, which take one more call; counted once for clips of one length and size."""
        shape = (len(lr), *lr[0].shape)
        if shape not in self._macs:
            with self.own.in_force():
                self._macs[shape] = count_macs(calls.on_tensors(self.method, lr, self.device), self.device)
        return self._macs[shape]


class Program:
    """An upscaler that is a program: timed from files to files only, on devices of its own."""

    elsewhere, device = True, "cpu"

    def __init__(self, method: FileUpscaler, own: OwnSettings) -> None:
        self.method, self.own = method, own

    def scopes(self, wanted: list[str]) -> list[str]:
        return ["files"]

    def call(self, scope: str, lr: list[np.ndarray], clip: Clip, folder: Path | None) -> Call:
        """The call that is timed.

        Args:
            folder: where the program reads and writes.
        """
        if folder is None:
            raise ValueError("a program needs a folder for its files")
        return on_program(self.method, lr, clip, folder)

    def macs(self, lr: list[np.ndarray]) -> Macs:
        """No MACs: the arithmetic of another program cannot be counted."""
        return Macs(None, f"{NOT_COUNTABLE}a program of its own")


class ReadyFrames:
    """Frames that another program made: nothing is timed."""

    elsewhere, device = True, "cpu"

    def __init__(self, method: GivenFrames) -> None:
        self.method = method

    def scopes(self, wanted: list[str]) -> list[str]:
        return []

    def frames(self, clip: Clip, alone: bool) -> FrameSource:
        """The SR frames of a clip; see `calls.given_frames`."""
        return calls.given_frames(self.method, clip, alone)


Adapter = InProcess | Program | ReadyFrames


def adapted(method: Any, device: str, own: OwnSettings | None = None) -> Adapter:
    """Wrap a method in the adapter of its kind.

    Args:
        own: the settings that its constructor made; None: none.
    Raises:
        ValueError: it is no method of any kind, or its descriptor lacks what a record needs.
    """
    own = own or OwnSettings()
    if hasattr(method, "descriptor"):
        _check_described(method.descriptor)
    if isinstance(method, GivenFrames):
        return ReadyFrames(method)
    if isinstance(method, FileUpscaler):
        return Program(method, own)
    if isinstance(method, Upscaler):
        return InProcess(method, device, own)
    raise ValueError(
        f"{type(method).__module__}.{type(method).__name__} is no method: it needs a descriptor and upscale(lr, stages)"
    )


def _check_described(descriptor: Any) -> None:
    """Raise ValueError if a descriptor of another class lacks what every record has; before any work."""
    for name in ("dtype", "weights"):
        if not hasattr(descriptor, name):
            raise ValueError(f"the method's descriptor ({type(descriptor).__name__}) has no {name}")


def identity(adapter: Adapter) -> Mapping[str, Any] | None:
    """State that a method's output depends on beyond its configuration; None for most."""
    return adapter.method.identity if isinstance(adapter.method, Identified) else None


def check_fits(adapter: Adapter, clip: Clip) -> None:
    """Refuse a clip that the method does not take, before any work.

    Raises:
        ValueError: one line with the rule.
    """
    if isinstance(adapter.method.descriptor, Descriptor):
        adapter.method.descriptor.check_fits(clip.frames, clip.lr_size)
