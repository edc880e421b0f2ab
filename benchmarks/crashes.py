"""Kill a run with SIGKILL at random moments, go on each time, and compare the end with an undisturbed run.

    python -m benchmarks.crashes --kills 30

Each kill hits the same command at a random moment after its start. Afterwards the command runs to its end. Quality must
be equal to the last digit, no clip that was finished may have been upscaled again (a kill costs at most the clip it
hit), and the store must be readable. Times are not compared: they are measurements.
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

COMMAND = [sys.executable, "-m", "bench", "run", "data=sample", "timing.repeats=1", "timing.warmup=0", "threads=1"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", default="bicubic,realesrgan", help="default %(default)s")
    parser.add_argument("--metrics", default="[psnr,ssim]", help="default %(default)s")
    arguments = parser.parse_args()
    command = [*COMMAND, f"method={arguments.methods}", f"metrics={arguments.metrics}"]
    with tempfile.TemporaryDirectory() as folder:
        calm, rough = Path(folder) / "calm", Path(folder) / "rough"
        seconds = _to_the_end(command, calm)
        random.seed(arguments.seed)
        for index in range(arguments.kills):
            moment = random.uniform(0, 1.1 * seconds)
            _killed(command, rough, moment)
            print(f"kill {index + 1:2} after {moment:5.2f} s: {_finished(rough)} records", flush=True)
        _to_the_end(command, rough)
        equal = _quality(calm) == _quality(rough)
        unreadable = [
            file for file in (rough / "store").rglob("*.json") if not file.name.startswith(".") and not _readable(file)
        ]
        print(f"undisturbed run {seconds:.1f} s; {arguments.kills} kills")
        again = _measured_again(rough)
        print(
            f"same quality figures: {'yes' if equal else 'NO'}; finished clips upscaled again: {again}; "
            f"unreadable store entries: {len(unreadable)}"
        )
        return 0 if equal and not again and not unreadable else 1


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
    started = time.perf_counter()
    process = _start(command, folder)
    _, errors = process.communicate()
    if process.returncode:
        raise SystemExit(f"the run failed with {process.returncode}: {errors.strip().splitlines()[-1]}")
    print(errors.strip().splitlines()[-1])
    return time.perf_counter() - started


def _killed(command: list[str], folder: Path, moment: float) -> None:
    process = _start(command, folder)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()


def _finished(folder: Path) -> int:
    file = folder / "run" / "records.jsonl"
    return len(file.read_text().splitlines()) if file.is_file() else 0


def _quality(folder: Path) -> dict:
    """(clip, method, metric) -> (signature, values) of the newest records."""
    return {
        (record["clip"], record["method"], metric): (score["signature"], score["frames"])
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
    lines = (folder / "run" / "records.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if _is_json(line)]


def _readable(file: Path) -> bool:
    return _is_json(file.read_text())


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
