"""The content-addressed store: predictions, times and scores under the hash of all they depend on.

Same key: reuse; any change: another key. So a stale result cannot exist, and a new metric needs no new upscaling.

    ROOT/.bench-store                                      the marker: this folder is a store
    ROOT/predictions/<key>/00000000.png ... meta.json     SR frames, lossless
    ROOT/times/<key>.json                                  every repetition of one clip
    ROOT/scores/<key>.json                                 one metric's values, or the doctor's findings
    ROOT/parts/<key>/<key>.json                            scores of single frames, until their clip has all of them
    ROOT/costs/<key>.json                                  how long such work took, by device: for plans
    ROOT/damaged/                                          entries that were set aside

Everything appears by an atomic rename, complete or not at all: a kill at any moment leaves at worst a temporary entry
(`.tmp-*`), which `prune` removes. Two runs at once at worst do the same work twice. Every entry is verified when it is
read; a damaged one is set aside, reported in one line, and made anew. Keeping is best effort: with a full disk or a
read-only store results are not reused, but none is lost.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import numpy as np

from bench.store.entries import Damaged, read_entry, write_entry
from bench.store.lock import held
from bench.store.plausible import check_measured, is_beyond
from bench.store.prediction import META, Prediction, read_prediction, write_prediction
from bench.store.record import Descriptor, DoctorFinding, Timing
from frames.errors import one_line

KINDS = ("predictions", "times", "scores", "parts", "costs")
DAMAGED = "damaged"
MARKER = ".bench-store"
_ENTRY = re.compile(r"[0-9a-f]{64}\.json")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class StoredTimes:
    """Results of upscaling one clip, beside its frames."""

    descriptor: Descriptor
    sr_sha256: str
    timing: dict[str, Timing]
    timed: str
    macs: int | None = None
    macs_reason: str | None = None


@dataclass(frozen=True)
class StoredScores:
    """One metric's values of one clip, or None with the reason."""

    values: list[float] | None
    reason: str | None = None


FrameValues = dict[str, dict[str, float]]
"""Scores of single frames: by the metric's recipe (see `bench.run.frame_scores`), and by the digest of the frame or
of the pair of frames."""


@dataclass(frozen=True)
class StoredPart:
    """Scores of some frames of one prediction."""

    values: FrameValues


@dataclass(frozen=True)
class StoredFindings:
    """Findings of the doctor in one prediction."""

    findings: list[DoctorFinding]


@dataclass(frozen=True)
class StoredCosts:
    """Seconds a pixel of LR frames, by the device's name: what a clip cost from reading to scores."""

    seconds: dict[str, float]


class Store:
    """One store folder; `root=None` makes a store that keeps nothing.

    Args:
        say: called with a line on results that cannot be kept (once), and on each damaged entry.
    """

    def __init__(self, root: str | Path | None, say: Callable[[str], None] | None = None) -> None:
        self.root = Path(root) if root else None
        self._say = say or (lambda line: print(f"bench: {line}", file=sys.stderr))
        self._reported = False

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Mark the store as in use during the block, so that pruning keeps recently used entries."""
        if self.root is None:
            yield
            return
        with contextlib.suppress(OSError):
            self._mark()
        with held(self.root / MARKER):
            yield

    def prediction(self, key: str) -> Prediction | None:
        """The frames kept under this key, verified when they are read; marks them as used now."""
        return self._read("predictions", key, read_prediction)

    def keep_prediction(self, key: str, frames: Iterable[np.ndarray], sr_sha256: str) -> None:
        """Keep SR frames, in place of older ones under this key."""
        self._keep("predictions", key, lambda target: write_prediction(target, frames, sr_sha256))

    def times(self, key: str) -> StoredTimes | None:
        return self._read("times", f"{key}.json", _read_times)

    def keep_times(self, key: str, times: StoredTimes) -> None:
        self._keep("times", f"{key}.json", lambda target: write_entry(target, times))

    def scores(self, key: str, count: int) -> StoredScores | None:
        """A metric's values; as many as `count`, or none with the reason."""

        def read(file: Path) -> StoredScores | None:
            found = read_entry(file, StoredScores)
            if found and (found.reason is None if found.values is None else len(found.values) != count):
                raise Damaged(f"{len(found.values or ())} values where {count} are needed")
            if found and any(math.isnan(value) or is_beyond(value) for value in found.values or ()):
                raise Damaged("a value that is no score")
            return found

        return self._read("scores", f"{key}.json", read)

    def keep_scores(self, key: str, scores: StoredScores) -> None:
        self._keep("scores", f"{key}.json", lambda target: write_entry(target, scores))

    def parts(self, key: str) -> FrameValues:
        """The scores of a prediction's single frames that are kept."""
        found: FrameValues = {}
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(self.root / "parts" / key) if self.root is not None else ()):
                if _ENTRY.fullmatch(name):
                    part = self._read("parts", f"{key}/{name}", lambda file: read_entry(file, StoredPart))
                    for signature, values in part.values.items() if part else ():
                        found.setdefault(signature, {}).update(values)
        return found

    def keep_part(self, key: str, name: str, values: FrameValues) -> bool:
        """Keep scores of some frames of a prediction, beside those of others; returns whether they were kept."""
        self._keep("parts", f"{key}/{name}.json", lambda target: write_entry(target, StoredPart(values)))
        return self.root is not None and (self.root / "parts" / key / f"{name}.json").is_file()

    def drop_parts(self, key: str) -> None:
        """Delete the scores of a prediction's single frames, once its clip has all of them."""
        if self.root is not None:
            shutil.rmtree(self.root / "parts" / key, ignore_errors=True)

    def findings(self, key: str) -> StoredFindings | None:
        return self._read("scores", f"{key}.json", lambda file: read_entry(file, StoredFindings))

    def keep_findings(self, key: str, findings: StoredFindings) -> None:
        self._keep("scores", f"{key}.json", lambda target: write_entry(target, findings))

    def costs(self, key: str) -> dict[str, float]:
        """Seconds a pixel by device; empty if nothing is known."""
        found = self._read("costs", f"{key}.json", lambda file: read_entry(file, StoredCosts))
        return dict(found.seconds) if found else {}

    def keep_cost(self, key: str, device: str, seconds: float) -> None:
        """Keep a cost on a device, in place of an older one."""
        if self.root is not None:
            known = StoredCosts(self.costs(key) | {device: seconds})
            self._keep("costs", f"{key}.json", lambda target: write_entry(target, known))

    def has_prediction(self, key: str) -> bool:
        """Whether frames are kept under a key, without reading them."""
        return self.root is not None and (self.root / "predictions" / key / META).is_file()

    def set_aside(self, kind: str, name: str, reason: str) -> None:
        """Move a damaged entry away, so that it is made anew, and report it."""
        assert self.root is not None
        entry = self.root / kind / name
        with contextlib.suppress(OSError):
            (self.root / DAMAGED).mkdir(exist_ok=True)
            os.rename(entry, self.root / DAMAGED / f"{kind}-{name.replace('/', '-')}-{uuid4().hex}")
        reason = reason.removeprefix(f"{entry}: ")
        self._say(f"{entry}: damaged ({reason}); set aside and computed again")

    def _read(self, kind: str, name: str, read: Callable[[Path], T | None]) -> T | None:
        """Read an entry; None if it is absent, damaged (then it is set aside) or cannot be read."""
        if self.root is None:
            return None
        entry = self.root / kind / name
        try:
            found = read(entry)
        except Damaged as damage:
            self.set_aside(kind, name, str(damage))
            return None
        except OSError as error:
            self._say(f"{entry}: cannot be read, computed again: {one_line(error)}")
            return None
        if found is not None:
            with contextlib.suppress(OSError):  # a store of another user, or a read-only one
                os.utime(entry)
        return found

    def _keep(self, kind: str, name: str, write: Callable[[Path], None]) -> None:
        if self.root is None:
            return
        try:
            self._mark()
            write(self.root / kind / name)
        except OSError as error:
            if not self._reported:
                self._reported = True
                self._say(f"{self.root}: results are not kept for later runs: {one_line(error)}")

    def _mark(self) -> None:
        """Create the folder and its marker, unless they are there."""
        assert self.root is not None
        marker = self.root / MARKER
        if not marker.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            marker.write_text("A store of `python -m bench`: see docs/store.md. Free space with `bench prune`.\n")


def _read_times(file: Path) -> StoredTimes | None:
    """Read times that a record takes (see `bench.store.plausible`); errors as `read_entry`."""
    found = read_entry(file, StoredTimes)
    try:
        if found:
            check_measured(found)
    except ValueError as error:
        raise Damaged(str(error)) from error
    return found
