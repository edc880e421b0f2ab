"""Separate columns for the times of workers whose machines are not equally fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.store.record import Record

SHARE = 0.10
"""Workers whose canaries differ by more than this share never share a column."""


def split_by_canary(records: Sequence[Record]) -> list[Record]:
    """The records, with the canary in the device's name where workers on one kind of device differ in it.

    A worker whose own canary changed by more than `SHARE` between its start and its end gets a column of its own.
    Workers without a canary are unchanged.
    """
    label: dict[str, str] = {}
    for device in dict.fromkeys(record.device for record in records if record.canary):
        canaries = {r.worker: r.canary for r in records if r.device == device and r.canary and r.timing}
        groups = _groups(canaries)
        if len(groups) > 1:
            for group in groups:
                seconds = [each for worker in group for each in canaries[worker]]
                label |= dict.fromkeys(group, f" (canary {_milliseconds(seconds)})")
    return [replace(record, device=record.device + label.get(record.worker, "")) for record in records]


def times_note(records: Sequence[Record]) -> str:
    """The caption's part on times: their scopes and, in a run of many workers, the number of machines."""
    scopes = ", ".join(dict.fromkeys(scope for record in records for scope in record.timing))
    timed = [record for record in records if record.worker and record.timing]
    workers, hosts = {record.worker for record in timed}, {record.host or record.worker for record in timed}
    note = f"times: {scopes}, median" if scopes else "no times"
    return f"{note}, by {_counted(len(workers), 'worker')} on {_counted(len(hosts), 'machine')}" if workers else note


def _groups(canaries: dict[str, tuple[float, ...]]) -> list[list[str]]:
    """Workers by speed, fastest first: those of one group differ by at most `SHARE`."""
    steady = {worker: times for worker, times in canaries.items() if max(times) <= (1 + SHARE) * min(times)}
    groups: list[list[str]] = []
    fastest = 0.0
    for worker in sorted(steady, key=lambda worker: max(steady[worker])):
        if not groups or max(steady[worker]) > (1 + SHARE) * fastest:
            groups.append([])
            fastest = min(steady[worker])
        groups[-1].append(worker)
        fastest = min(fastest, *steady[worker])
    return groups + [[worker] for worker in canaries if worker not in steady]


def _milliseconds(seconds: Sequence[float]) -> str:
    low, high = (f"{1e3 * each:.3g}" for each in (min(seconds), max(seconds)))
    return f"{low} ms" if low == high else f"{low} to {high} ms"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
