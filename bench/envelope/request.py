"""Request and answer of a trial's process, as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bench.envelope.search import Rules
from bench.store.trials import ClipSize, Outcome


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings with which a method is built and called, the same for all its trials."""

    method: dict[str, Any]  # what it is built from, with `_target_`
    device: str
    threads: int | None
    scale: int
    memory: int | None  # bytes that may be taken; None: all of the device
    scope: str  # in which it is called: tensors or files
    warmup: int
    repeats: int
    budget_s: float


@dataclass(frozen=True, kw_only=True)
class Request:
    """One trial; without a point the method is only loaded."""

    settings: Settings
    point: ClipSize | None = None


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Facts about a loaded method."""

    memory_mb: float
    descriptor: dict[str, Any]  # see `bench.methods.calls.plain`
    rules: Rules
    environment: dict[str, Any]
    device: str  # as tables name it
    kind: str  # "cpu", or the GPU's name: part of the key
    identity: dict[str, Any] | None = None  # see `bench.methods.contract.Identified`: part of the key


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of a trial."""

    outcome: Outcome
    reason: str = ""
    loaded: Loaded | None = None  # for a request without a point
    loaded_mb: float | None = None  # memory with the method loaded and no frames yet
    seconds: list[float] = field(default_factory=list)
    peak_mb: float | None = None
    peak_kind: str = ""
    busy: bool = False
    environment: str = ""  # why no trial can be made on this machine, whatever the method
