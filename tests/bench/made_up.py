"""Made-up records, as runs write them: nothing is timed here."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from bench.run.units import Unit
from bench.store.record import Descriptor, Record, Score
from bench.store.records import FILE, RecordFile
from bench.timing.results import Repetition, Timing

ENVIRONMENT = {
    "command": "python -m bench run method=plain data=set",
    "date": "2026-01-01T00:00:00+00:00",
    "python": "3.11.0",
    "platform": "Linux",
    "packages": {"torch": "2.0", "numpy": "2.0"},
    "cpu": "a processor",
    "cores": 2,
    "threads": 2,
    "device": "cpu",
    "gpu": None,
    "commit": "0123456789" * 4,
    "dirty": False,
}
"""Of a run that may be handed in."""


def make(
    method, clip, psnr, seconds, *, data="set", lpips=0.25, expected=2, steps=None, size=(10, 20), **more
) -> Record:
    """One good record; `psnr` has a value a frame, `seconds` one a repetition."""
    score = Score(
        title="PSNR",
        unit="dB",
        better="higher",
        digits=2,
        signature="psnr|y-bt601-studio|uint8|crop0|mean-frames,clips|v1",
        short="PSNR-Y",
        values=psnr,
        indices=list(range(len(psnr))),
    )
    distance = Score(
        title="LPIPS-alex",
        unit="",
        better="lower",
        digits=4,
        signature="lpips|alex-v0.1|rgb|uint8|crop0|mean-frames,clips|v1",
        short="LPIPS-alex",
        values=[lpips],
        indices=[0],
    )
    times = Timing(
        scope="tensors",
        clock="perf_counter",
        warmup=1,
        first_call_s=9.0,
        peak_memory_mb=100.0,
        peak_memory_kind="process, resident",
        repetitions=[
            Repetition(total_s=s, stages_s={"encode": 0.25 * s, "decode": 0.5 * s, "other": 0.25 * s}) for s in seconds
        ],
    )
    found = Record(
        data=data,
        clip=clip,
        method=method,
        status="ok",
        frames=len(psnr),
        lr_size=size,
        scale=4,
        expected_clips=expected,
        protocol="vid4",
        lr_origin="given",
        data_config={"degradation": "bi"},
        device="a machine",
        descriptor=Descriptor(dtype="float32", weights="a file", parameters=2_500_000),
        method_config={} if steps is None else {"steps": steps},
        sr_sha256=hashlib.sha256(f"{method} {clip}".encode()).hexdigest(),
        scores={"psnr": score, "lpips-alex": distance},
        timing={"tensors": times} if seconds else {},
        date="2026-01-02T00:00:00",
    )
    return replace(found, **more)


def run_folder(folder: Path, records: list[Record], environment: dict | None = ENVIRONMENT) -> Path:
    """The folder that a run with these records leaves."""
    folder.mkdir(parents=True)
    file = RecordFile(folder / FILE)
    for record in records:
        file.append(record)
    if environment is not None:
        (folder / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    return folder


def failed(record: Record, reason: str = "out of memory") -> Record:
    """The record of the same cell when it failed."""
    return replace(record, status="failed", reason=reason, descriptor=None, sr_sha256=None, scores={}, timing={})


def refused(record: Record, reason: str = "not an image") -> Record:
    """The record of the same cell when its clip could not be opened."""
    return replace(failed(record, reason), frames=0, lr_size=(0, 0), lr_origin="refused")


def with_score(record: Record, name: str, **change) -> Record:
    """The record with another score of this name."""
    return replace(record, scores=record.scores | {name: replace(record.scores[name], **change)})


def with_times(record: Record, **change) -> Record:
    """The record with other times."""
    return replace(record, timing={"tensors": replace(record.timing["tensors"], **change)})


def untrained(record: Record) -> Record:
    """The record of a method whose weights are random."""
    return replace(record, descriptor=Descriptor(dtype="float32", weights="random (seed 0)"))


def units(*pixels, methods=("m",)):
    """Units of one clip each, of so many pixels."""
    return [Unit(number, "set", f"clip{number}", list(methods), 1, size) for number, size in enumerate(pixels)]
