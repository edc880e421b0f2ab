"""The environment of a measurement: versions, processor, GPU, driver, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path, PurePosixPath

import psutil
import torch

from frames.places import CHECKOUT

_PACKAGES = ("turbovsr-bench", "torch", "torchvision", "numpy", "opencv-python-headless", "av", "lpips", "hydra-core")
RESULTS = PurePosixPath("results")
"""Folder of a checkout that runs and reports write to. No run reads it, so a change there is no change of the code."""


def snapshot(device: str, outputs: Sequence[Path] = ()) -> dict:
    """The environment as plain data; what cannot be known is None.

    Args:
        outputs: folders that the run writes; untracked files there do not count as a change of the code.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "device": device,
        "gpu": _gpu(device),
        "commit": _git("rev-parse", "HEAD"),
        "dirty": is_modified(CHECKOUT, outputs) if CHECKOUT else None,
    }


def device_name(environment: dict) -> str:
    """The name of the machine in a table's caption."""
    if environment["gpu"]:
        return environment["gpu"]["name"]
    return f"{environment['cpu']}, {environment['threads']} thread{'s' * (environment['threads'] > 1)}"


def is_modified(checkout: Path, outputs: Sequence[Path] = ()) -> bool | None:
    """Whether a checkout differs from its commit; None if git does not answer.

    Changed files and untracked files count, but nothing in `results/`, no ignored files, and no untracked files in
    `outputs`.
    """
    status = _output("git", "-C", str(checkout), "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
    if status is None:
        return None
    written = [path.resolve() for path in outputs]
    for entry in filter(None, status.split("\0")):
        state, name = entry[:2], PurePosixPath(entry[3:])
        if name.is_relative_to(RESULTS):
            continue
        if state != "??" or not any((checkout / name).is_relative_to(path) for path in written):
            return True
    return False


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _gpu(device: str) -> dict | None:
    if not device.startswith("cuda"):
        return None
    properties = torch.cuda.get_device_properties(device)
    drivers = _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")  # a line for each GPU
    return {
        "name": properties.name,
        "memory_gb": round(properties.total_memory / 2**30, 1),
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "driver": drivers and drivers.split("\n")[0],
    }


def _git(*arguments: str) -> str | None:
    return _output("git", "-C", str(CHECKOUT), *arguments) if CHECKOUT else None


def _output(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
        return done.stdout.strip("\n")
    except (OSError, subprocess.CalledProcessError):
        return None
