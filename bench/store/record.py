"""One cell of a run (data set × clip × method) as it is recorded: the figures, and the recipe of each.

Everything here is data. Names in it (of data sets, of methods, of files) are never imported, built or opened because a
record holds them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from bench.store import typed
from bench.store.plausible import check
from bench.timing.results import Timing

SCHEMA = 2
GIVEN = "the frames were given"
"""`timing_reason` of frames that another program made."""
NOT_TIMED = "not timed (timing=none)"
"""`timing_reason` of frames that were made without a clock."""
_SUMMARIES = ("median_s", "quartiles_s", "interval_s")  # of schema 1; they follow from the repetitions


@dataclass(frozen=True, kw_only=True)
class Score:
    """One metric of one clip: its kind, its recipe, and a value for each scored frame."""

    title: str
    unit: str
    better: Literal["higher", "lower", "nearer", "none"]  # nearer: to GT's own value, see `Record.gt_values`
    digits: int  # decimals that a table prints
    signature: str  # the full recipe
    short: str  # the title, with the parts of the recipe that matter most: "PSNR-Y"
    values: list[float] | None  # None: not taken, see `reason`
    indices: list[int] | None  # of the (first) frame of each value
    window: int = 1  # frames that one value is taken over
    reference: bool = True  # whether it needs ground truth
    reason: str | None = None
    best: float | None = None  # GT's own value, where it is one number for every frame

    @property
    def by_index(self) -> dict[int, float]:
        """The value of each scored frame; empty where there is none."""
        values = self.values or []
        return dict(zip(self.indices or range(len(values)), values))


@dataclass(frozen=True, kw_only=True)
class DoctorFinding:
    """A fault that the doctor found in the frames, which are scored as they are."""

    kind: str
    text: str
    evidence: str = ""


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """A method's description of itself (see `bench.methods.contract.Descriptor`), with its rules as text."""

    dtype: str
    weights: str
    name: str = ""
    scale: int | None = None
    kind: str = ""
    device: str = ""
    licence: str = ""
    parameters: int = 0
    size_rule: str = "any"
    frame_rule: str = "any"
    notes: str = ""
    trained_on: list[str] = field(default_factory=list)  # metrics that these weights were trained on

    @classmethod
    def of(cls, values: dict[str, Any]) -> Descriptor:
        """Build from a method's description (`bench.methods.calls.plain`); keys that are not recorded are left out."""
        return typed.from_json(cls, {key: value for key, value in values.items() if key in cls.__dataclass_fields__})


@dataclass(frozen=True, kw_only=True)
class Record:
    """One cell. `status` "failed": neither scores nor times, `reason` says why."""

    data: str
    clip: str
    method: str
    status: Literal["ok", "failed"]
    reason: str | None = None
    frames: int
    lr_size: tuple[int, int]  # (height, width)
    gt_size: tuple[int, int] | None = None
    scale: int
    lr_origin: str
    lr_made_with: str | None = None  # versions of encoder and libraries that made the LR frames; None: they need none
    expected_clips: int  # of the data set, or as many as data.clips names
    protocol: str
    data_config: dict[str, Any]  # the options of the data set, its degradation, scale and protocol
    device: str
    method_config: dict[str, Any]  # the options of the method
    method_files: dict[str, str] = field(default_factory=dict)  # option -> sha256 of what it names: weights, code
    prediction: str | None = None  # key of the SR frames in the store
    descriptor: Descriptor | None
    sr_sha256: str | None  # of the scored SR frames, see `bench.store.keys.frames_digest`
    lr_sha256: str | None = None  # of the clip's LR frames; None: they could not be read, or an older version wrote it
    gt_sha256: str | None = None  # of its GT frames; None, too, where there are none
    timing: dict[str, Timing]  # scope -> times
    timed: str | None = None  # when
    timing_reason: str | None = None  # why nothing was timed
    macs: int | None = None  # multiply-accumulate operations of the whole clip, see `bench.methods.arithmetic`
    macs_reason: str | None = None  # why they were not counted
    scores: dict[str, Score]  # metric -> score
    doctor: list[DoctorFinding] | None = None  # None: not examined
    date: str
    worker: str = ""  # of a run of many workers, see `bench.store.workers`
    unit: int | None = None  # its place in that run's plan
    host: str = field(default="", metadata=typed.HIDDEN)  # of its worker, where there were many
    canary: tuple[float, ...] = field(default=(), metadata=typed.HIDDEN)  # seconds, of its worker: start and end
    run: str = field(default="", metadata=typed.HIDDEN)  # the run folder that it was read from, in reports

    @property
    def cell(self) -> tuple[str, str, str]:
        """(data, clip, method)."""
        return self.data, self.clip, self.method

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    def gt_values(self, metric: str) -> dict[int, float]:
        """GT's own value of a metric at the index of each of its values; empty where it was not measured.

        It is the score's `best`, or what the metric NAME-gt found in the same clip.
        """
        score, companion = self.scores[metric], self.scores.get(f"{metric}-gt")
        if score.best is not None:
            return dict.fromkeys(score.by_index, score.best)
        return companion.by_index if companion else {}

    def rank_values(self, metric: str) -> dict[int, float]:
        """The values that rank frames by a metric; for "nearer" their distances to GT's own values, lower is better.

        Empty if GT's own values are missing, or the metric has no direction.
        """
        score = self.scores[metric]
        if score.better == "none":
            return {}
        if score.better != "nearer":
            return score.by_index
        own = self.gt_values(metric)
        if not score.by_index.keys() <= own.keys():
            return {}
        return {index: abs(value - own[index]) for index, value in score.by_index.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain data for one line of `records.jsonl`."""
        return {"schema": SCHEMA, **typed.to_json(self)}

    @classmethod
    def from_json(cls, data: Any) -> Record:
        """A record of schema 2, or of schema 1 (converted).

        Raises:
            ValueError: not a record, or a field is missing, unknown, of another type, or impossible; one line.
        """
        if not isinstance(data, dict) or data.get("schema") not in (1, SCHEMA) or type(data["schema"]) is not int:
            raise ValueError(f"not a record of schema 1 or {SCHEMA}")
        data = {key: value for key, value in data.items() if key != "schema"} | (
            _from_schema_1(data) if data["schema"] == 1 else {}
        )
        record = typed.from_json(cls, data)
        check(record)
        return record


def _from_schema_1(data: dict[str, Any]) -> dict[str, Any]:
    """The fields that schema 2 writes differently: a score's `frames` are its `values`, a timing knows its scope."""
    changed: dict[str, Any] = {}
    if isinstance(scores := data.get("scores"), dict):
        changed["scores"] = {
            name: {("values" if key == "frames" else key): value for key, value in score.items()}
            if isinstance(score, dict)
            else score
            for name, score in scores.items()
        }
    if isinstance(timing := data.get("timing"), dict):
        changed["timing"] = {
            scope: {"scope": scope} | {key: value for key, value in times.items() if key not in _SUMMARIES}
            if isinstance(times, dict)
            else times
            for scope, times in timing.items()
        }
    return changed
