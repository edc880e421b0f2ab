"""Reading of the frames behind a run's records: SR from the store or the run's folder, LR and GT from the data set."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.commands import known
from bench.commands.reading import read_run
from bench.commands.run_config import RunConfig
from bench.datasets.clip import Clip
from bench.labels import file_name
from bench.methods.contract import FrameSource
from bench.report.page.material import GT, LR, Material, Read, sr
from bench.store.keys import frames_digest
from bench.store.record import Record
from bench.store.store import Prediction, Store
from frames.errors import UserError, one_line
from frames.images import read_image


class Absent(Exception):
    """Frames that cannot be read; the message is the reason, for the user."""


@dataclass(frozen=True)
class Saved:
    """SR frames that a run kept as PNG files."""

    files: tuple[Path, ...]

    def __iter__(self):
        return map(read_image, self.files)


class RunFrames:
    """One run's records, and the frames that belong to them.

    Args:
        run: the run's folder.
        store: where predictions are kept; None: the store that the run's configuration names.
        config_dirs: folders with configs of the user's own data sets and degradations.
    Raises:
        UserError: no such run.
    """

    def __init__(self, run: Path, store: Path | None = None, config_dirs: tuple[str, ...] = ()) -> None:
        self.run = Path(run)
        self.records = read_run(self.run)
        self._config = RunConfig(self.run / "config.yaml")
        self._config_dirs = config_dirs
        self.store = Store(store or self._config.store)
        self._datasets: dict[str, dict[str, Clip] | str] = {}
        self._cells: dict[tuple[str, str], list[Record]] = {}
        for record in self.records:
            self._cells.setdefault((record.data, record.clip), []).append(record)

    def materials(self) -> list[Material]:
        """The material of each clip, in the order of the records."""
        return [self.material(data, clip) for data, clip in self._cells]

    @property
    def has_frames(self) -> bool:
        """Whether SR frames of at least one cell can still be read."""
        for record in self.records:
            try:
                self._prediction(record)
                return True
            except Absent:
                continue
        return False

    def material(self, data: str, clip: str) -> Material:
        """The frames of one clip that can be read, and the reasons why others cannot."""
        cells = self._cells[data, clip]
        first = next((record for record in cells if record.frames), cells[0])  # one that could open the clip
        size = first.scale * first.lr_size[0], first.scale * first.lr_size[1]
        found = Material(data, clip, first.frames, first.scale, size)
        try:
            source = self._clip(first)
            found.sources[LR] = source.lr
            if source.has_gt:
                found.sources[GT] = source.gt
            else:
                found.absent[GT] = "the data set has no ground truth"
        except Absent as reason:
            found.absent |= {LR: str(reason), GT: str(reason)}
        for record in cells:
            try:
                found.sources[sr(record.method)] = self._prediction(record)
            except Absent as reason:
                found.absent[sr(record.method)] = str(reason)
        return found

    def _prediction(self, record: Record) -> Read:
        """The SR frames of a cell, those that were scored according to their digest; else raises Absent."""
        if record.status != "ok":
            raise Absent(f"the cell failed: {record.reason}")
        kept, saved = self._kept(record.prediction), self._saved(record)
        if kept and kept.sr_sha256 == record.sr_sha256 and (saved is None or self._is_scored(kept, record)):
            return kept.__iter__
        if saved and self._is_scored(saved, record):
            return saved.__iter__
        given = self._given(record)
        if given and self._is_scored(given, record):
            return given.__iter__
        lossy = "; the run kept a lossy video only" if (self.run / "video").is_dir() else ""
        raise Absent(f"the scored frames are neither in the store (pruned, or another store) nor in the run{lossy}")

    def _kept(self, key: str | None) -> Prediction | None:
        """The store's frames under a key; None for an invalid key or an unreadable entry."""
        if key is None or not re.fullmatch("[0-9a-f]{64}", key):
            return None
        try:
            return self.store.prediction(key)
        except (ValueError, OSError, KeyError):
            return None

    def _is_scored(self, frames: Iterable[np.ndarray], record: Record) -> bool:
        """Whether these are the frames that were scored; False for unreadable ones."""
        try:
            return frames_digest(frames) == record.sr_sha256
        except (ValueError, OSError):
            return False

    def _saved(self, record: Record) -> Saved | None:
        names = map(file_name, (record.method, record.data, record.clip))
        files = sorted((self.run / "frames").joinpath(*names).glob("*.png"))
        return Saved(tuple(files)) if len(files) == record.frames else None

    def _given(self, record: Record) -> FrameSource | None:
        """Frames that another program made, in the folder that the method's options name; Absent if they are gone."""
        try:
            return known.given_frames(record)
        except (UserError, ValueError, OSError) as error:
            raise Absent(one_line(error)) from error

    def _clip(self, record: Record) -> Clip:
        data = record.data
        if data not in self._datasets:
            self._datasets[data] = self._open(record)
        clips = self._datasets[data]
        if isinstance(clips, str):
            raise Absent(clips)
        clip = clips.get(record.clip)
        if clip is None:
            raise Absent("the clip is no longer among the data at hand")
        if (clip.frames, list(clip.lr_size)) != (record.frames, list(record.lr_size)):
            raise Absent("the data at hand have another number or size of frames than those of the run")
        return clip

    def _open(self, record: Record) -> dict[str, Clip] | str:
        """The clips of a data set by name, or the reason why it cannot be opened."""
        try:
            dataset = known.open_dataset(record, self._config.degradation(record), self._config_dirs)
            return {clip.name: clip for clip in dataset.clips()}
        except Exception as error:  # whatever the data set's class raises: the page says so and continues
            return f"the data are not at hand: {one_line(error)}"
