"""The rules for submitted runs: complete, scored in one way, from a known state of the code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bench.store.moments import moment
from bench.store.record import GIVEN, Record
from bench.store.unlike_frames import unlike_files, unlike_frames

NEEDED = ("date", "python", "platform", "packages", "cpu", "cores", "threads", "device", "commit", "dirty")
"""Keys that an environment must have; also `gpu` if the device is one."""
_PACKAGES = ("torch", "numpy")
_SHOWN = 3


def broken(
    records: Sequence[Record],
    environments: Mapping[str, Mapping[str, Any]],
    parts: Sequence[tuple[str, Sequence[str]]] = (),
) -> list[str]:
    """One line for each rule that a run breaks; empty if it may be submitted.

    Args:
        records: of one run, the newest of each cell.
        environments: by worker, "" for a run of one worker.
        parts: (`_target_`, clips) of data sets that are a part of a larger one by their own configuration.
    """
    good = [record for record in records if record.ok]
    lines = [
        _line("failed cells", (f"{_where(r)} ({r.reason})" for r in records if not r.ok), "measure them again"),
        _line("clips are missing", _missing(records), "measure the whole set"),
        _line("clips were chosen", _chosen(records, parts), "measure without data.clips"),
        _line("clips were cut", _with(records, "data.frames"), "measure without data.frames"),
        _line("frames were left out of the scores", _with(records, "score_every"), "measure without score_every"),
        _line("unlike signatures in one column", _unlike(good), "score all cells by one protocol"),
        _line("unlike frames of one clip", _unlike_frames(good), "measure these clips again"),
        _line("unlike files of one method", _unlike_files(good), "measure its clips again"),
        _line("no digest of the scored frames", (_where(r) for r in good if not _is_digest(r.sr_sha256)), _AGAIN),
        _line("the timed frames are not proved to be the scored ones", _unproved(good), "see docs/timing.md"),
    ]
    for worker, environment in _needed(records, environments).items():
        own = [record for record in records if record.worker == worker]
        who = f" of worker {worker}" if worker else ""
        lines += [
            _line(f"the environment{who} is not complete", _lacking(environment), _AGAIN),
            _line(f"the code{who} was modified locally", _modified(environment), "commit or stash, then measure again"),
            _line(f"older than the environment{who}", _older(own, environment), "measure with store=null out=NEW"),
        ]
    return [line for line in lines if line]


_AGAIN = "measure again with this version"


def _line(rule: str, cases: Iterable[str], remedy: str) -> str:
    """`rule: case, case (and 4 more); remedy`, or nothing where there is no case."""
    found = list(dict.fromkeys(cases))
    more = f" (and {len(found) - _SHOWN} more)" if len(found) > _SHOWN else ""
    return f"{rule}: {', '.join(found[:_SHOWN])}{more}; {remedy}" if found else ""


def _where(record: Record) -> str:
    return f"{record.data}/{record.clip}, {record.method}"


def _missing(records: Sequence[Record]) -> Iterator[str]:
    """Methods that lack clips of the complete data set; clips that failed are reported by another rule."""
    clips: dict[tuple[str, str], set[str]] = {}
    expected: dict[str, int] = {}
    for record in records:
        clips.setdefault((record.data, record.method), set()).add(record.clip)
        expected[record.data] = max(expected.get(record.data, 1), record.expected_clips)
    every = {data: set().union(*(own for (name, _), own in clips.items() if name == data)) for data in expected}
    for (data, method), own in clips.items():
        count = max(expected[data], len(every[data]))
        if len(own) < count:
            yield f"{method} has {len(own)} of {count} clips of {data}"


def _chosen(records: Sequence[Record], parts: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """Data sets of which a user chose clips, which the number of expected clips follows."""
    for record in records:
        clips = record.data_config.get("clips")
        if clips is not None and (record.data_config.get("_target_"), clips) not in parts:
            yield f"{record.data} with data.clips={clips}"


def _with(records: Sequence[Record], option: str) -> Iterator[str]:
    """Data sets that were measured with an option, `data.KEY` or `KEY`."""
    for record in records:
        if (value := record.data_config.get(option.removeprefix("data."))) is not None:
            yield f"{record.data} with {option}={value}"


def _unlike(good: Sequence[Record]) -> Iterator[str]:
    """Metrics of a data set that were taken under several recipes, or on unlike LR frames."""
    found: dict[tuple[str, str], set[str]] = {}
    for record in good:
        for name, score in record.scores.items():
            found.setdefault((record.data, name), set()).add(score.signature)
        for what in ("protocol", "scale", "lr_origin", "lr_made_with"):
            found.setdefault((record.data, what.replace("_", " ")), set()).add(str(getattr(record, what)))
    yield from (
        f"{name} on {data}: {' and '.join(sorted(each))}" for (data, name), each in found.items() if len(each) > 1
    )


def _unlike_frames(good: Sequence[Record]) -> Iterator[str]:
    for (data, clip, kind), by_digest in unlike_frames(good).items():
        yield f"{kind} of {data}/{clip}, {' and '.join(methods[0] for methods in by_digest.values())}"


def _unlike_files(good: Sequence[Record]) -> Iterator[str]:
    for (data, method, option), by_digest in unlike_files(good).items():
        yield f"{option} of {method} on {data}/{' and '.join(clips[0] for clips in by_digest.values())}"


def _unproved(good: Sequence[Record]) -> Iterator[str]:
    for record in good:
        if not record.timing and record.timing_reason is None:
            yield f"{_where(record)}: neither times nor a reason"
        if record.timing and record.timing_reason == GIVEN:
            yield f"{_where(record)}: times of frames that were given"
        for scope, times in record.timing.items():
            yield from (f"{_where(record)} ({scope}): {fault}" for fault in times.faults)


def _is_digest(text: str | None) -> bool:
    return bool(text and re.fullmatch(r"[0-9a-f]{64}", text))


def _needed(records: Sequence[Record], environments: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The environments behind these records; empty where there is none."""
    return {record.worker: environments.get(record.worker, {}) for record in records}


def _lacking(environment: Mapping[str, Any]) -> Iterator[str]:
    """The facts that an environment lacks."""
    if not environment:
        yield "there is none"
        return
    yield from (name for name in NEEDED if environment.get(name) in (None, "", {}))
    packages = environment.get("packages")
    yield from (f"version of {name}" for name in _PACKAGES if not (isinstance(packages, dict) and packages.get(name)))
    if str(environment.get("device", "")).startswith("cuda") and not environment.get("gpu"):
        yield "gpu"
    commit = environment.get("commit")
    if commit and not re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", str(commit)):
        yield "commit (it is no commit of git)"


def _modified(environment: Mapping[str, Any]) -> Iterator[str]:
    if environment.get("dirty"):
        commit = str(environment.get("commit") or "not known")[:10]
        yield f"commit {commit} with changes or files that git does not know"


def _older(records: Sequence[Record], environment: Mapping[str, Any]) -> Iterator[str]:
    """Cells measured before the environment was noted, by an earlier run into this folder or the store."""
    start = moment(str(environment.get("date") or ""))
    for record in records:
        taken = min(record.date, record.timed or record.date, key=moment)
        if moment(taken) < start:
            yield f"{_where(record)} ({taken})"
