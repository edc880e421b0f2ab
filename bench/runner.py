"""A run: every cell of the plan, one failure costing one cell, finished cells kept when nothing they depend on moved."""

from __future__ import annotations

import importlib
import json
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench import cell
from bench.config import Combination
from bench.datasets.clip import Clip, Dataset
from bench.environment import device_name, snapshot
from bench.errors import UserError, one_line
from bench.metrics import base as metrics
from bench.progress import Reporter
from bench.store.keys import cell_key, frames_digest
from bench.store.records import Records
from bench.timing.measure import spread


@dataclass
class Outcome:
    """How many cells were measured now, kept from before, and failed."""

    measured: int = 0
    kept: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Column:
    """One combination of the plan, opened: its clips, its metrics, the arguments that build its method."""

    combination: Combination
    dataset: Dataset
    clips: list[Clip]
    metrics: dict[str, metrics.Metric]
    method: dict[str, Any]
    data: dict[str, Any]  # what the clips are made by: the data set's options, degradation, scale, protocol

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """What shapes the numbers beside the method and the frames."""
        config = self.combination.config
        return {
            "timing": OmegaConf.to_container(config.timing),
            "scale": config.scale,
            "save": config.save,
            "metrics": {name: metric.signature for name, metric in self.metrics.items()},
        }


class Run:
    """Opens everything first, so that mistakes show before any work; calling it measures what is missing."""

    def __init__(self, combinations: list[Combination], command: str) -> None:
        root = combinations[0].config
        if root.threads:
            torch.set_num_threads(root.threads)
        datasets: dict[str, tuple[Dataset, list[Clip]]] = {}
        for each in combinations:
            if each.data not in datasets:
                dataset = _open_dataset(each)
                datasets[each.data] = dataset, dataset.clips()
        self.columns = [_column(each, *datasets[each.data]) for each in combinations]
        self.environment = snapshot(root.device)
        self.device = device_name(self.environment)
        self.folder = _make_folder(Path(root.out) if root.out else _dated_folder())
        self.records = Records(self.folder)
        self._refuse_mixing()
        self._gt_digests: dict[tuple[str, str], str | None] = {}
        self._describe(command)

    def __call__(self) -> Outcome:
        """Measure. Ctrl-C raises KeyboardInterrupt; the cells finished by then are on disk."""
        outcome = Outcome()
        with Reporter(sum(len(column.clips) for column in self.columns)) as reporter:
            for column, clip, method in self._plan(reporter):
                self._cell(column, clip, method, outcome, reporter)
        return outcome

    def _plan(self, reporter: Reporter) -> Iterator[tuple[Column, Clip, Any]]:
        """Cells in order, each with its method (or the error that building it raised); one method in memory at a time."""
        built, method = None, None
        for column in self.columns:
            if column.method != built:
                method, built = None, column.method  # frees the previous one first
                reporter.working(f"loading {column.combination.method}")
                try:
                    method = _build(column.method)
                except Exception as error:  # costs this method's cells, not the run
                    method = error
            for clip in column.clips:
                yield column, clip, method

    def _cell(self, column: Column, clip: Clip, method: Any, outcome: Outcome, reporter: Reporter) -> None:
        names = column.combination.data, clip.name, column.combination.method
        where = "{}/{} {}".format(*names)
        started = time.perf_counter()
        try:
            if isinstance(method, Exception):
                raise method
            reporter.working(f"reading {where}")
            lr = list(clip.lr())
            given = cell.given_frames(method, clip) if hasattr(method, "source") else None
            key = self._key(column, clip, lr, given)
            if self.records.finished(*names, key):
                outcome.kept += 1
                reporter.finished(f"{where}: nothing changed, kept")
                return
            reporter.working(f"upscaling {where}")
            sr, found = given or cell.upscale(method, clip, lr, column.combination.config)
            reporter.working(f"scoring {where}", clip.frames)
            found["scores"] = cell.score(sr, clip, column.metrics, reporter.advance)
            kind = column.combination.config.save
            if kind != "none":
                cell.save(sr, clip, self.folder / kind / names[2] / names[0], kind)
            self._append(column, clip, "ok", None, key, started, found)
            outcome.measured += 1
            reporter.finished(f"{where}: {_line(clip, found)}")
        except Exception as error:  # out of memory, a broken file, a bug in a method: this cell's, not the run's
            reason = one_line(error)
            self._append(column, clip, "failed", reason, None, started, {"descriptor": None, "scores": {}, "timing": {}})
            with open(self.folder / "errors.log", "a", encoding="utf-8") as log:
                log.write(f"{where}\n{''.join(traceback.format_exception(error))}\n")
            outcome.failed += 1
            reporter.finished(f"{where}: FAILED: {reason}")

    def _append(self, column: Column, clip: Clip, status: str, reason: str | None, key: str | None, started: float,
                found: dict) -> None:
        combination = column.combination
        self.records.append({
            "data": combination.data, "clip": clip.name, "method": combination.method, "status": status,
            "reason": reason, "key": key, "frames": clip.frames, "lr_size": clip.lr_size, "gt_size": clip.gt_size,
            "scale": clip.scale, "lr_origin": clip.lr_origin, "expected_clips": len(column.dataset.expected),
            "protocol": combination.config.protocol.name, "data_config": column.data, "device": self.device, "method_config": column.method,
            **found,
            "date": datetime.now().astimezone().isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - started, 3),
        })

    def _key(self, column: Column, clip: Clip, lr: list, given: tuple | None) -> str:
        at = column.combination.data, clip.name
        if at not in self._gt_digests:
            self._gt_digests[at] = cell.gt_digest(clip)
        inputs = {"lr": frames_digest(lr), "gt": self._gt_digests[at], "sr": given[1]["sr_sha256"] if given else None}
        return cell_key(column.method, {**column.recipe, "device": self.device}, inputs)

    def _refuse_mixing(self) -> None:
        """A folder holds a data set under one set of options: a table of unlike clips would compare nothing."""
        kept = {record["data"]: record["data_config"] for record in self.records.all()}
        for column in self.columns:
            name, before = column.combination.data, kept.get(column.combination.data, column.data)
            differs = sorted(key for key in before.keys() | column.data.keys() if before.get(key) != column.data.get(key))
            if differs:
                raise UserError(
                    f"{self.folder} holds {name} measured with other options ({', '.join(differs)}): choose another "
                    f"out=DIR, or give this one a name of its own with data.name=NAME"
                )

    def _describe(self, command: str) -> None:
        """config.yaml (resolved) and environment.json: what this command asked for, and where."""
        cells = [{"data": c.combination.data, "method": c.combination.method,
                  "config": OmegaConf.to_container(c.combination.config, resolve=True)} for c in self.columns]
        OmegaConf.save(OmegaConf.create({"command": command, "combinations": cells}), self.folder / "config.yaml")
        text = json.dumps({"command": command, **self.environment}, indent=2)
        (self.folder / "environment.json").write_text(text + "\n", encoding="utf-8")


def _column(combination: Combination, dataset: Dataset, clips: list[Clip]) -> Column:
    config = combination.config
    chosen = {
        name: metrics.build(name, color=config.protocol.color, crop=config.protocol.crop, device=config.device)
        for name in config.metrics
    }
    try:
        method = OmegaConf.to_container(config.method, resolve=True)
    except OmegaConfBaseException as error:
        raise UserError(f"method {combination.method}: {one_line(error.__cause__ or error)}") from error
    missing = [key for key, value in method.items() if value == "???"]
    if missing:
        raise UserError(f"method {combination.method} needs method.{missing[0]}=VALUE (see conf/method/{combination.method}.yaml)")
    method = {key: value for key, value in method.items() if key not in ("name", "summary", "_lookup")}
    data = OmegaConf.to_container(config.data, resolve=True)
    data |= {"degradation": config.degradation.name, "scale": config.scale, "protocol": config.protocol.name}
    return Column(combination, dataset, clips, chosen, method, data)


def _open_dataset(combination: Combination) -> Dataset:
    config = combination.config
    degradation = OmegaConf.to_container(config.degradation, resolve=True)
    arguments = OmegaConf.to_container(config.data, resolve=True)
    arguments.pop("summary", None)
    return _build({**arguments, "degradation": _build(degradation), "scale": config.scale})


def _build(arguments: dict[str, Any]) -> Any:
    """The object that a configuration's `_target_` names; errors come through as they were raised."""
    module, _, attribute = arguments["_target_"].rpartition(".")
    try:
        target = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UserError(f"_target_ {arguments['_target_']} cannot be imported: {one_line(error)}") from error
    return target(**{key: value for key, value in arguments.items() if key != "_target_"})


def _dated_folder() -> Path:
    return Path("results") / "runs" / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"{folder}: cannot write the run's folder ({error.strerror}); choose another with out=DIR") from error
    return folder


def _line(clip: Clip, found: dict) -> str:
    """A finished cell in one line."""
    parts = [f"{clip.frames} frames"]
    for scope, times in found["timing"].items():
        median, _ = spread([repetition["total_s"] for repetition in times["repetitions"]])
        parts.append(f"{clip.frames / median:.3g} fps ({scope}, median of {len(times['repetitions'])})")
    for name, scores in found["scores"].items():
        if scores["frames"]:
            parts.append(f"{name} {sum(scores['frames']) / len(scores['frames']):.{scores['digits']}f}")
    return ", ".join(parts)
