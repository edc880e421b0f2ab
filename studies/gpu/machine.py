"""The machine: its device, its description, and its ceilings in arithmetic and memory traffic."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable

import torch

from bench.environment import snapshot
from bench.timing.clock import Stopwatch
from bench.timing.stats import median
from frames.errors import EnvironmentInvalid
from turbovsr.devices import chosen

MATRIX = 8192
COPY_BYTES = 4 * 2**30
TINY_MATRIX = 128
TINY_COPY_BYTES = 2**20


def choose_device(name: str) -> str:
    """Check the name of a device and return it.

    Raises:
        UserError: no device has such a name.
        EnvironmentInvalid: CUDA is asked for and there is none.
    """
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise EnvironmentInvalid(
            f"--device {name}: torch sees no CUDA device here; try the code with --tiny --device cpu"
        )
    return chosen(name)


def facts(device: str, arguments: list[str]) -> dict:
    """The origin of a record's figures: command, device, driver, versions, date."""
    environment = snapshot(device)
    gpu = environment["gpu"] or {}
    return {
        "command": shlex.join(["python", "-m", "studies.gpu", *arguments]),
        "device": gpu.get("name") or environment["cpu"],
        "driver": gpu.get("driver"),
        "torch": torch.__version__,
        "date": environment["date"],
        "environment": environment,
        "python": sys.version.split()[0],
    }


def synchronize(device: str) -> None:
    """Wait until the device has done all it was given."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def ceilings(device: str, tiny: bool) -> dict[str, float]:
    """Measure dense bf16 matrix products in TFLOP/s and copying in TB/s, read and written; medians on random data."""
    size, count = (TINY_MATRIX if tiny else MATRIX), (TINY_COPY_BYTES if tiny else COPY_BYTES) // 2
    pairs = [[torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2)] for _ in range(3)]
    sources = [torch.randn(count, device=device, dtype=torch.bfloat16) for _ in range(2)]
    target = torch.empty_like(sources[0])
    product = _median_seconds(device, [lambda a=a, b=b: a @ b for a, b in pairs])
    copy = _median_seconds(device, [lambda source=source: target.copy_(source) for source in sources])
    return {"matmul_tflop_s": 2 * size**3 / product / 1e12, "copy_tb_s": 2 * 2 * count / copy / 1e12}


def _median_seconds(device: str, calls: list[Callable], repeats: int = 10) -> float:
    for call in calls:
        call()
    seconds = []
    for index in range(repeats):
        watch = Stopwatch(device)
        with watch.total():
            calls[index % len(calls)]()
        seconds.append(watch.seconds()[0])
    return median(seconds)
