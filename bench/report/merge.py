"""Records of several runs as those of one, with one label for each method and setting."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from bench import labels
from bench.report.same_clips import first_difference
from bench.store.record import Record
from frames.errors import UserError

Cell = tuple[str, str, str]
"""(data, clip, method), as the run recorded it."""


def merged(runs: Mapping[str, Sequence[Record]], mix: bool = False) -> list[Record]:
    """All records, each with its `run`, and with labels that tell runs and settings apart (see `relabelled`).

    Args:
        runs: records by the run's name, in order.
        mix: let runs under unlike protocols, whose clips are the same, stand in one table.
    Raises:
        UserError: two runs used one data set under unlike options, so that their clips are not the same.
    """
    new = relabelled(runs, mix)
    found = [
        replace(record, run=run, method=new[run][record.cell]) for run, records in runs.items() for record in records
    ]
    seen: dict[Cell, str] = {}
    for record in found:
        if (other := seen.setdefault(record.cell, record.run)) != record.run:
            raise UserError(f"{other} and {record.run} would both be '{record.method}' on {record.data}: rename one")
    return found


def relabelled(runs: Mapping[str, Sequence[Record]], mix: bool = False) -> dict[str, dict[Cell, str]]:
    """For each run, the label of the method in each cell.

    If one run measured a method with several settings, they are in its labels (see `by_settings`); if several runs
    measured it on one data set, the run's name is.

    Raises:
        UserError: two runs used one data set under unlike options.
    """
    _refuse_unlike_clips(runs, ("protocol",) if mix else ())
    settled = {run: by_settings(records) for run, records in runs.items()}
    holders: dict[tuple[str, str], set[str]] = {}
    for run, records in settled.items():
        for record in records:
            holders.setdefault((record.data, record.method), set()).add(run)
    names = run_names(runs)
    return {
        run: {
            old.cell: labels.of_run(new.method, names[run]) if len(holders[new.data, new.method]) > 1 else new.method
            for old, new in zip(records, settled[run], strict=True)
        }
        for run, records in runs.items()
    }


def by_settings(records: Sequence[Record]) -> list[Record]:
    """The records of one run, with a label for each setting of a method that was measured with several.

    A row of a table stands for one setting: a run with `steps=1` and then one with `steps=16` into the same folder give
    the rows `m[steps=1]` and `m[steps=16]`.
    """
    settings: dict[tuple[str, str], dict[str, dict]] = {}
    for record in records:
        found = settings.setdefault((record.data, record.method), {})
        found.setdefault(_key(record), record.method_config)
    return [
        record
        if len(settings[record.data, record.method]) == 1
        else replace(record, method=_with_settings(record, list(settings[record.data, record.method].values())))
        for record in records
    ]


def run_names(runs: Iterable[str]) -> dict[str, str]:
    """Names of run folders: the last part of the path, or the whole path where that would not tell them apart."""
    runs = list(dict.fromkeys(runs))
    names = {run: PurePath(run).name or run for run in runs}
    return names if len(set(names.values())) == len(names) else {run: run for run in runs}


def _with_settings(record: Record, configs: list[dict]) -> str:
    """The record's label, with the options in which its method's configurations differ."""
    name, options = labels.parts(record.method)
    keys = dict.fromkeys(key for config in configs for key in config)
    unlike = [key for key in keys if len({json.dumps(config.get(key), sort_keys=True) for config in configs}) > 1]
    return labels.label(name, options | {key: record.method_config.get(key) for key in unlike})


def _key(record: Record) -> str:
    return json.dumps(record.method_config, sort_keys=True)


def _refuse_unlike_clips(runs: Mapping[str, Sequence[Record]], may_differ: Sequence[str]) -> None:
    found = first_difference(((run, record) for run, records in runs.items() for record in records), may_differ)
    if found:
        (other, _), (run, record), differs = found
        both = f"{run} and {other}" if run != other else f"records of {run}"
        raise UserError(
            f"{both} used {record.data} under other options ({differs}): their clips are not the same; make tables "
            "of their own"
        )
