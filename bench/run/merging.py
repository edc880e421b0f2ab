"""Merging of runs: options must be equal except for clips and methods, or the difference is named in a refusal."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from bench.store.moments import moment
from bench.store.record import Record
from bench.store.records import FILE, RecordFile, load
from bench.store.unlike_frames import unlike_files
from bench.store.workers import read_workers, write_worker
from frames.errors import UserError
from frames.strict_yaml import read_mapping
from frames.text_files import read_json

CONFIG, ENVIRONMENT = "config.yaml", "environment.json"
COMMAND = "python -m bench merge"
_MAY_DIFFER = ("clips",)  # options of a data set that choose among its clips


def merge(runs: Sequence[Path], out: Path) -> int:
    """Join runs in a new folder; returns how many records it has.

    Raises:
        UserError: a folder is no run or damaged, `out` is there already, or two runs differ in more than clips and
            methods, or in the frames of one clip, or in the files that a method names.
    """
    if out.exists():
        raise UserError(f"{out}: there already; give a new folder")
    loaded = {run: load(run).records for run in runs}
    _refuse_unlike(loaded)
    _refuse_unlike_frames(loaded)
    _refuse_unlike_files(loaded)
    configs = [_config(run) for run in runs]
    workers = [facts for run in runs for facts in read_workers(run).values()]
    environment = _agreed([_environment(run) for run in runs])
    kept: dict[tuple[str, str, str], Record] = {}
    for record in (each for found in loaded.values() for each in found):
        if record.cell not in kept or _rank(kept[record.cell]) <= _rank(record):
            kept[record.cell] = record
    clips = _clips_of_all([record for found in loaded.values() for record in found])
    combinations = {(str(c.get("data")), str(c.get("method"))): c for each in configs for c in each}
    config = {"command": COMMAND, "combinations": list(combinations.values())}
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".merge-") as made:
        folder = Path(made) / "run"
        folder.mkdir()
        target = RecordFile(folder / FILE)
        for record in kept.values():
            target.append(_among(record, *clips[record.data]) if record.data in clips else record)
        for facts in workers:
            write_worker(folder, facts)
        (folder / CONFIG).write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), "utf-8")
        (folder / ENVIRONMENT).write_text(json.dumps(environment, indent=2) + "\n", "utf-8")
        folder.rename(out)  # whole, or not there
    return len(kept)


def _clips_of_all(records: Sequence[Record]) -> dict[str, tuple[list[str] | None, int]]:
    """The option `clips` and the expected clips of each data set of which runs chose unlike clips: of all together."""
    choices: dict[str, dict[str, tuple[list[str] | None, int]]] = {}
    for record in records:
        wanted = record.data_config.get("clips")
        names = None if wanted is None else [str(name) for name in (wanted if isinstance(wanted, list) else [wanted])]
        choices.setdefault(record.data, {})[repr(names)] = names, record.expected_clips
    found: dict[str, tuple[list[str] | None, int]] = {}
    for data, each in choices.items():
        named = list(dict.fromkeys(name for names, _ in each.values() for name in names or ()))
        whole = each.get(repr(None))
        if len(each) > 1:
            found[data] = whole or (named, len(named))
    return found


def _among(record: Record, clips: list[str] | None, expected: int) -> Record:
    """The record as a run on these clips would have written it."""
    return replace(record, data_config=record.data_config | {"clips": clips}, expected_clips=expected)


def _rank(record: Record) -> tuple[bool, datetime]:
    """Sort key of records of one cell, the one to keep last: good ones after failed ones, newer after older ones."""
    return record.ok, moment(record.date)


def _environment(run: Path) -> dict[str, Any]:
    """Read a run's environment.json; {} if there is none.

    Raises:
        UserError: the file is damaged.
    """
    file = run / ENVIRONMENT
    if not file.is_file():
        return {}
    found = read_json(file, "remove it; the runs are then merged without what it says")
    if not isinstance(found, dict):
        raise UserError(f"{file}: not a run's environment; remove it")
    return found


def _agreed(environments: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The values on which all environments agree, None for the others. The date is the earliest."""
    first, *others = environments
    found = {key: value if all(each.get(key) == value for each in others) else None for key, value in first.items()}
    dates = [str(each["date"]) for each in environments if each.get("date")]
    if "dirty" in found and any(each.get("dirty") for each in environments):
        found["dirty"] = True
    return found | {"command": COMMAND} | ({"date": min(dates, key=moment)} if dates else {})


def _refuse_unlike(loaded: dict[Path, list[Record]]) -> None:
    """Refuse runs that differ in the options of a data set or, on one data set, of a method or in a score's recipe.

    So are those that scored one cell by unlike metrics: one record of it is kept, and the other's scores would be lost.

    On two data sets a method may have unlike options, as in one run: the scale or the variant may be the set's own.
    """
    seen: dict[tuple[str, ...], tuple[Path, Any]] = {}
    for run, records in loaded.items():
        for record in records:
            data = {key: value for key, value in record.data_config.items() if key not in _MAY_DIFFER}
            metrics = {"metrics": sorted(record.scores)}
            facts: dict[tuple[str, ...], Any] = {
                ("data set", record.data): data,
                ("method", record.method, record.data): record.method_config,
                **({("cell", f"{record.data}/{record.clip} {record.method}"): metrics} if record.ok else {}),
                **{("metric", name, record.data): {"recipe": s.signature} for name, s in record.scores.items()},
            }
            for what, value in facts.items():
                other, before = seen.setdefault(what, (run, value))
                differs = sorted(key for key in before.keys() | value.keys() if before.get(key) != value.get(key))
                if differs:
                    key = differs[0]
                    raise UserError(
                        f"{other} and {run}: the {what[0]} {what[1]} has other options ({', '.join(differs)}): "
                        f"{key} is {before.get(key)} in the first, {value.get(key)} in the second"
                    )


def _refuse_unlike_frames(loaded: dict[Path, list[Record]]) -> None:
    """Refuse records of one clip on unlike frames, which may have changed under the same options.

    Records of failures, and of versions that kept no digest, tell nothing.
    """
    seen: dict[tuple[str, str, str], tuple[Path, str]] = {}
    for run, records in loaded.items():
        for record in records:
            for kind, digest in (("LR", record.lr_sha256), ("GT", record.gt_sha256)):
                if digest is None:
                    continue
                other, before = seen.setdefault((record.data, record.clip, kind), (run, digest))
                if digest != before:
                    raise UserError(
                        f"{other} and {run}: the clip {record.clip} of {record.data} has other {kind} frames (digests "
                        f"{before[:10]} and {digest[:10]}), so its scores cannot be compared; measure it again"
                    )


def _refuse_unlike_files(loaded: dict[Path, list[Record]]) -> None:
    """Refuse records of one method whose option names files of unlike contents, such as weights; one row mixed them."""
    holders: dict[tuple[str, str], Path] = {}
    for run, records in loaded.items():
        holders |= {(option, digest): run for each in records for option, digest in each.method_files.items()}
    for (data, method, option), by_digest in unlike_files(each for found in loaded.values() for each in found).items():
        where = ", ".join(f"{holders[option, digest]} (sha256 {digest[:10]})" for digest in by_digest)
        raise UserError(
            f"{method} on {data}: the content of {option} is not the same in {where}; measure with one of them, or "
            "give the methods names of their own"
        )


def _config(run: Path) -> list[dict[str, Any]]:
    """The combinations of a run's configuration; empty if it has none."""
    file = run / CONFIG
    if not file.is_file():
        return []
    found = read_mapping(file).get("combinations")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
