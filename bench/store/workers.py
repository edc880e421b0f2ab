"""The workers of a run, stored in its folder as `workers/<name>.json`; data, like records."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.store import typed
from frames.atomic import replacing
from frames.door import read_small

WORKERS = "workers"
_LARGEST = 1 << 20  # bytes


@dataclass(frozen=True, kw_only=True)
class WorkerFacts:
    """A worker's machine, and the speed of the canary there."""

    name: str
    host: str
    device: str  # "cores 0-3", "GPU-<uuid>"
    began: str
    ended: str | None = None
    canary: list[float] = field(default_factory=list)  # seconds of a fixed small job: at the start, at the end
    environment: dict[str, Any] = field(default_factory=dict)


def write_worker(run: Path, facts: WorkerFacts) -> None:
    """Write the facts about a worker, atomically."""
    with replacing(run / WORKERS / f"{facts.name}.json") as part:
        part.write_text(json.dumps(typed.to_json(facts), indent=1) + "\n", encoding="utf-8")


def read_workers(run: Path) -> dict[str, WorkerFacts]:
    """Read the workers of a run, by name; other files are skipped."""
    found = {}
    for file in sorted((run / WORKERS).glob("*.json")):
        try:
            facts = typed.from_json(WorkerFacts, json.loads(read_small(file, _LARGEST)))
            if facts.name == file.stem:  # what becomes a file's name again holds no path
                found[facts.name] = facts
        except (OSError, ValueError, RecursionError):
            continue
    return found
