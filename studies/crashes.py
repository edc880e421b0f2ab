"""Kill a run with SIGKILL at random moments of its work, go on, and compare the end with an undisturbed run.

    python -m studies.crashes --kills 30

Every kill hits a run of its own, in an empty folder, at a random moment between the end of its start and its end; then the
same command runs to its end. Quality must be equal to the last digit, no clip that was finished may be upscaled again (a
kill costs at most the clip it hit), and the store must be readable. Times are not compared: they are measurements.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = [sys.executable, "-m", "bench", "run", "data=sample", "data.frames=2", "timing.repeats=1", "timing.warmup=0"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", default="bicubic,realesrgan", help="default %(default)s")
    parser.add_argument("--metrics", default="[psnr,ssim]", help="default %(default)s")
    arguments = parser.parse_args()
    command = [*COMMAND, f"method={arguments.methods}", f"metrics={arguments.metrics}"]
    random.seed(arguments.seed)
    failures = kills_amid = 0
    with tempfile.TemporaryDirectory() as folder:
        calm = Path(folder) / "calm"
        work = _to_the_end(command, calm)
        total, expected = len(_records(calm)), _quality(calm)
        print(f"undisturbed: {total} cells in {work:.1f} s of work", flush=True)
        for index in range(arguments.kills):
            rough = Path(folder) / f"rough{index}"
            moment = random.uniform(0, work)
            _killed(command, rough, moment)
            done = len(_records(rough))
            kills_amid += done < total
            _to_the_end(command, rough)
            equal, again = _quality(rough) == expected, _measured_again(rough)
            broken = [file for file in (rough / "store").rglob("*.json") if not _is_json(file.read_text())]
            failures += not equal or again > 0 or bool(broken)
            print(
                f"kill {index + 1:2} after {moment:4.1f} s, {done:2}/{total} cells recorded; then: quality "
                f"{'equal' if equal else 'DIFFERS'}, upscaled again {again}, unreadable {len(broken)}",
                flush=True,
            )
    print(f"{arguments.kills} kills, {kills_amid} of them before the last cell was recorded: {failures} failures")
    return 1 if failures or not kills_amid else 0


def _start(command: list[str], folder: Path) -> subprocess.Popen:
    environment = {**os.environ, "BENCH_STORE": str(folder / "store")}
    return subprocess.Popen(
        [*command, f"out={folder / 'run'}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _to_the_end(command: list[str], folder: Path) -> float:
    """Run to the end; returns the seconds from the end of the start on."""
    process = _start(command, folder)
    began = _wait_for_start(process, folder)
    _, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"the run failed with {process.returncode}: {errors.strip().splitlines()[-1]}")
    return time.perf_counter() - began


def _killed(command: list[str], folder: Path, moment: float) -> None:
    process = _start(command, folder)
    _wait_for_start(process, folder)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()


def _wait_for_start(process: subprocess.Popen, folder: Path) -> float:
    """Until the run has described itself in this start (its environment.json is new); returns that moment."""
    file, launched = folder / "run" / "environment.json", time.time()
    while process.poll() is None and not (file.is_file() and file.stat().st_mtime >= launched - 0.5):
        time.sleep(0.01)
    return time.perf_counter()


def _quality(folder: Path) -> dict:
    """(clip, method, metric) -> (signature, values) of the newest records."""
    return {
        (record["clip"], record["method"], metric): (score["signature"], score["values"])
        for record in _records(folder)
        for metric, score in record["scores"].items()
    }


def _measured_again(folder: Path) -> int:
    """How many finished cells were timed a second time: each time of measuring beyond a cell's first."""
    stamps: dict[tuple, set] = {}
    for record in _records(folder):
        stamps.setdefault((record["clip"], record["method"]), set()).add(record["timed"])
    return sum(len(each) - 1 for each in stamps.values())


def _records(folder: Path) -> list[dict]:
    file = folder / "run" / "records.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines() if _is_json(line)] if file.is_file() else []


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
