"""Records of several runs as those of one, each still knowing its run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from bench.store.record import Record
from frames.errors import UserError


def merged(runs: dict[str, list[Record]]) -> list[Record]:
    """All records, each with its `run`; a method that several runs measured on one data set is named after its run.

    Args:
        runs: records by the run's name, in order.
    Raises:
        UserError: two runs used one data set under unlike options, so that their clips are not the same.
    """
    configs: dict[str, tuple[str, dict]] = {}
    holders: dict[tuple[str, str], list[str]] = {}
    for run, records in runs.items():
        for record in records:
            data, config = record.data, record.data_config
            other, before = configs.setdefault(data, (run, config))
            differs = sorted(key for key in before.keys() | config.keys() if before.get(key) != config.get(key))
            if differs:
                raise UserError(
                    f"{run} and {other} used {data} under other options ({', '.join(differs)}): their clips are not "
                    "the same; make tables of their own"
                )
            having = holders.setdefault((data, record.method), [])
            if run not in having:
                having.append(run)
    names = {run: PurePath(run).name for run in runs}
    if len(set(names.values())) < len(names):
        names = {run: run for run in runs}
    return [
        replace(
            record,
            run=run,
            method=f"{record.method} ({names[run]})" if _is_shared(holders, record) else record.method,
        )
        for run, records in runs.items()
        for record in records
    ]


def _is_shared(holders: dict[tuple[str, str], list[str]], record: Record) -> bool:
    return len(holders[record.data, record.method]) > 1
