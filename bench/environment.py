"""The environment of a measurement: versions, processor, GPU, driver, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil
import torch

from bench.paths import CHECKOUT

_PACKAGES = ("turbovsr-bench", "torch", "torchvision", "numpy", "opencv-python-headless", "av", "lpips", "hydra-core")


def snapshot(device: str) -> dict:
    """The environment as plain data; what cannot be known is None."""
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
        "dirty": None if (status := _git("status", "--porcelain")) is None else bool(status),
    }


def device_name(environment: dict) -> str:
    """The name of the machine in a table's caption."""
    if environment["gpu"]:
        return environment["gpu"]["name"]
    return f"{environment['cpu']}, {environment['threads']} thread{'s' * (environment['threads'] > 1)}"


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
    return {
        "name": properties.name,
        "memory_gb": round(properties.total_memory / 2**30, 1),
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "driver": _output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"),
    }


def _git(*arguments: str) -> str | None:
    return _output("git", "-C", str(CHECKOUT), *arguments) if CHECKOUT else None


def _output(*command: str) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
