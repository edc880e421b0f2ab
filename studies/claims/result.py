"""The result of a study: all measurements, as one JSON file."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.environment import snapshot
from frames.atomic import replacing
from frames.errors import UserError
from studies.claims import tables
from studies.claims.files import read, write
from studies.claims.plan import HIGHEST_COMPRESSION, LOWEST_COMPRESSION

KEYS = ("plan", "videos", "environment", "tflop", "times", "references", "scores", "seconds")


def collect(work: Path) -> dict[str, Any]:
    """Collect all that a study has measured so far."""
    scores: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for path in sorted((work / "arms").glob("*/scores.json")):
        arm, _, seed = path.parent.name.rpartition("-")
        scores[arm][seed] = read(path)
    timed = sorted((work / "arms").glob("*/seconds.json"))
    references = {space: read(work / space / "references.json") for space in (HIGHEST_COMPRESSION, LOWEST_COMPRESSION)}
    return {
        "plan": read(work / "plan.json"),
        "videos": read(work / "videos.json"),
        "environment": snapshot("cpu"),
        "tflop": read(work / "tflop.json"),
        "times": _times(work),
        "references": {space: found for space, found in references.items() if found},
        "scores": dict(scores),
        "seconds": {path.parent.name.rpartition("-")[0]: read(path) for path in timed},
    }


def _times(work: Path) -> dict[str, dict[str, float]]:
    """Seconds of each part, summed over all calls of the command; parts that SIGKILL ended are missing."""
    found: dict[str, dict[str, float]] = {}
    for entry in read(work / "times.jsonl", lines=True) or []:
        part = found.setdefault(entry["part"], {"seconds": 0.0, "cpu_seconds": 0.0})
        for name in part:
            part[name] = round(part[name] + entry[name], 1)
    return found


def read_result(path: Path) -> dict[str, Any]:
    """Read what `write_result` wrote. Raises `UserError`."""
    found = read(path)
    if not isinstance(found, dict) or any(key not in found for key in KEYS):
        raise UserError(f"{path}: not a result of this study; name the claims.json that it wrote")
    return found


def write_result(result: dict[str, Any], out: Path) -> None:
    """Write claims.json and claims.md."""
    out.mkdir(parents=True, exist_ok=True)
    write(out / "claims.json", result)
    with replacing(out / "claims.md") as temporary:
        temporary.write_text(tables.markdown(result) + "\n", encoding="utf-8")
