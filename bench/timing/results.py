"""The times of one clip in one scope, as they are measured and recorded: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

BUSY = 0.10
"""A measurement is of a busy machine when tasks waited for a processor, or the hypervisor took it away, for a larger
share of the time than this."""
FOREIGN = 0.05
"""Waiting counts when others used at least this share of the processors: a method with more threads than there are
processors waits for itself."""


@dataclass
class Telemetry:
    """The GPU during one repetition; None: the card does not report this."""

    samples: int = 0
    sm_clock_mhz: tuple[int, int] | None = None  # lowest, highest
    power_w: float | None = None  # mean
    temperature_c: int | None = None  # highest
    energy_j: float | None = None  # by the card's own counter
    throttled: list[str] | None = None  # reasons that taint a measurement
    foreign_processes: int | None = None  # other processes that computed on the GPU

    @property
    def tainted(self) -> bool:
        return bool(self.throttled)


@dataclass
class Contention:
    """Other users of the processor during one repetition, as shares of the time; None: the system does not tell."""

    waiting: float | None = None  # some task was ready and waited for a processor
    stolen: float | None = None  # of the processors' time, given to other guests of the host
    foreign: float | None = None  # of the processors' time, used by processes that are not ours

    @property
    def busy(self) -> bool:
        """Whether others slowed the measurement down."""
        waited = (self.waiting or 0.0) > BUSY and (self.foreign is None or self.foreign >= FOREIGN)
        return waited or (self.stolen or 0.0) > BUSY


@dataclass
class Repetition:
    """One timed call."""

    total_s: float
    stages_s: dict[str, float] = field(default_factory=dict)  # stages and the remainder add up to the total
    load: float | None = None  # 1-minute load average when it began; None where the system has none
    cpu_mhz: float | None = None  # the processor's frequency then; None where the system does not tell
    telemetry: Telemetry | None = None  # of the GPU; None on a CPU or without NVML
    contention: Contention | None = None
    busy: bool = False  # other processes slowed it down, on the processor or on the GPU

    @property
    def tainted(self) -> bool:
        """Whether a busy machine or a throttled GPU has affected the time."""
        return self.busy or (self.telemetry is not None and self.telemetry.tainted)


@dataclass(kw_only=True)
class Timing:
    """The times of one clip in one scope; every repetition is kept, and nothing is averaged away."""

    scope: str
    clock: str
    warmup: int
    first_call_s: float
    repetitions: list[Repetition]
    interleaved_with: int = 0  # how many other methods took turns with this one
    peak_memory_mb: float | None = None  # None: not seen
    peak_memory_kind: str = ""
    redone: int = 0  # repetitions thrown away because the GPU throttled or the machine was busy meanwhile
    same_output: bool | None = None  # every repetition gave the same frames; None: there was only one
    cached: bool | None = None  # repeated input was answered suspiciously faster than fresh input; None: not known

    @property
    def peak_of_process(self) -> bool:
        """Whether the peak is that of the whole process, with torch and all methods, so that it ranks no method."""
        return self.peak_memory_kind.startswith("process")

    @property
    def seconds(self) -> list[float]:
        """The total seconds of each repetition."""
        return [each.total_s for each in self.repetitions]

    @property
    def median_s(self) -> float:
        return median(self.seconds)

    @property
    def stage_medians_s(self) -> dict[str, float]:
        """Each stage's median over the repetitions, in seconds; a repetition without the stage counts as 0."""
        names = dict.fromkeys(name for each in self.repetitions for name in each.stages_s)
        return {name: median([each.stages_s.get(name, 0.0) for each in self.repetitions]) for name in names}

    @property
    def busy(self) -> bool:
        """Whether some of the times were taken on a busy machine."""
        return any(each.busy for each in self.repetitions)

    @property
    def faults(self) -> list[str]:
        """Reasons to doubt that these are the times of the scored frames; empty if there are none."""
        found = []
        if self.same_output is False:
            found.append("repetitions gave different frames: the method is not deterministic")
        if self.cached:
            found.append("repeated input was answered faster than fresh input: something is cached")
        return found
