"""Runs made apart as one folder: equal options but for clips and methods, or a refusal that names the difference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from bench.store.record import Record
from bench.store.records import RecordFile, load
from bench.store.workers import read_workers, write_worker
from frames.atomic import replacing
from frames.errors import UserError
from frames.strict_yaml import read_mapping
from frames.text_files import read_text

CONFIG = "config.yaml"
_MAY_DIFFER = ("clips",)  # options of a data set that choose among its clips


def merge(runs: Sequence[Path], out: Path) -> int:
    """Join runs in a new folder; returns how many records it has.

    Raises:
        UserError: a folder is no run or damaged, `out` is there already, or two runs differ in more than clips and
            methods.
    """
    if out.exists():
        raise UserError(f"{out}: there already; give a new folder")
    loaded = {run: load(run).records for run in runs}
    _refuse_unlike(loaded)
    configs = [_config(run) for run in runs]
    workers = [facts for run in runs for facts in read_workers(run).values()]
    environment = runs[0] / "environment.json"
    told = read_text(environment) if environment.is_file() else None
    newest: dict[tuple[str, str, str], Record] = {}
    for record in (each for found in loaded.values() for each in found):
        before = newest.get(record.cell)
        if before is None or before.date <= record.date or (record.ok and not before.ok):
            newest[record.cell] = record
    out.mkdir(parents=True)
    target = RecordFile(out / "records.jsonl")
    for record in newest.values():
        target.append(record)
    for facts in workers:
        write_worker(out, facts)
    with replacing(out / CONFIG) as part:
        combinations = {(str(c.get("data")), str(c.get("method"))): c for each in configs for c in each}
        content = {"command": "python -m bench merge", "combinations": list(combinations.values())}
        part.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
    if told is not None:
        (out / "environment.json").write_text(told, "utf-8")
    return len(newest)


def _refuse_unlike(loaded: dict[Path, list[Record]]) -> None:
    """What was measured must be the same thing: the data, each method's options, and the recipe of each score."""
    seen: dict[tuple[str, ...], tuple[Path, Any]] = {}
    for run, records in loaded.items():
        for record in records:
            data = {key: value for key, value in record.data_config.items() if key not in _MAY_DIFFER}
            facts: dict[tuple[str, ...], Any] = {
                ("data set", record.data): data,
                ("method", record.method): record.method_config,
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


def _config(run: Path) -> list[dict[str, Any]]:
    """The combinations of a run's configuration; none where it has none."""
    file = run / CONFIG
    if not file.is_file():
        return []
    found = read_mapping(file).get("combinations")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
