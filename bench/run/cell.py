"""One cell (method × clip) on its way from a plan to a record, and the result of each step.

look up → upscale → score → record: `Keys` and perhaps an `Upscaled` from the store, an `Upscaled`, a `Scored`, a
`bench.store.record.Record`. An exception at any step ends its cell alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from bench.datasets.clip import Clip
from bench.methods.adapters import Adapter
from bench.methods.arithmetic import Macs
from bench.run.plan import MethodOnData
from bench.store.record import Descriptor, DoctorFinding, Timing
from bench.store.store import StoredScores


@dataclass(frozen=True)
class Machine:
    """The machine that a method runs on, as tables and keys name it."""

    name: str  # "AMD EPYC, 2 threads", "NVIDIA H100"
    kind: str  # "cpu", "cpu, 2 threads" where a run sets them, or the GPU's name


@dataclass(frozen=True)
class Inputs:
    """A clip's LR frames, and the digests of its LR and GT frames."""

    lr: list[np.ndarray]  # uint8 (h, w, 3) RGB
    lr_digest: str
    gt_digest: str | None  # None: there is no ground truth


@dataclass(frozen=True)
class Keys:
    """The keys of a cell's frames and times in the store; empty if they are not kept."""

    prediction: str = ""
    times: str = ""


@dataclass(frozen=True)
class Upscaled:
    """A cell's SR frames, with their digest, times and MACs."""

    frames: Iterable[np.ndarray]  # uint8 (H, W, 3) RGB; read anew each time
    sr_sha256: str
    descriptor: Descriptor
    timing: dict[str, Timing] = field(default_factory=dict)  # scope -> times
    timed: str | None = None
    timing_reason: str | None = None  # why there are no times
    macs: Macs = Macs(None)


@dataclass(frozen=True)
class Scored:
    """The values of a cell's metrics, and what the doctor found."""

    values: dict[str, StoredScores]
    findings: list[DoctorFinding] | None  # None: not examined


@dataclass
class Cell:
    """One method on one clip, with the results of the steps so far."""

    plan: MethodOnData
    clip: Clip
    machine: Machine
    adapter: Adapter | None = None
    held_mb: float = 0.0  # what the method holds in memory between calls
    beside_mb: float = 0.0  # what others hold there that take no turns: idle methods, networks of metrics on a GPU
    lr_sha256: str | None = None  # of the clip's frames, once they are read
    gt_sha256: str | None = None
    keys: Keys = Keys()
    files: dict[str, str] = field(default_factory=dict)  # see `bench.store.record.Record.method_files`
    upscaled: Upscaled | None = None
    scored: Scored | None = None
    error: Exception | None = None  # the error that ended it; later steps skip the cell

    @property
    def where(self) -> str:
        return f"{self.plan.data}/{self.clip.name} {self.plan.method}"

    @property
    def scopes(self) -> list[str]:
        """The scopes in which the method is called: all wanted ones if it is timed, else one."""
        wanted = list(self.plan.config.timing.scopes)
        return self.adapter.scopes(wanted if self.plan.is_timed else wanted[:1]) if self.adapter else []


@dataclass
class Totals:
    """Numbers of cells that succeeded and failed, and of results that were computed for them."""

    good: int = 0
    failed: int = 0
    upscaled: int = 0
    scored: int = 0  # (clip, method, metric) triples
