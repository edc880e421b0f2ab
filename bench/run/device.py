"""The device and the cores of a worker, and the locks that keep two workers of one machine from timing on the same.

The locks are files in the folder for temporary files, locked by `flock`: they are this machine's own, hold for runs in
any folder, and go with the process however it ends. Programs that know nothing of them are noticed while a repetition
is timed (`bench.timing.contention`, `bench.timing.telemetry`).
"""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from frames.errors import EnvironmentInvalid, UserError, short_line
from frames.locks import locked


def cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def resources(devices: Iterable[str]) -> list[str]:
    """The resources that a worker on these devices (cpu, cuda, cuda:1) needs for itself: its GPUs, or its cores."""
    found: list[str] = []
    for device in devices:
        found += [f"core {core}" for core in cores()] if device == "cpu" else [_uuid(device)]
    return list(dict.fromkeys(found))


def described(resources: Iterable[str]) -> str:
    """Resources as short text: "cores 0-3", "GPU-6c1e..."."""
    resources = list(resources)
    numbers = [int(name.removeprefix("core ")) for name in resources if name.startswith("core ")]
    cards = [name for name in resources if not name.startswith("core ")]
    return ", ".join([*cards, *([f"cores {_ranges(numbers)}"] if numbers else [])])


@contextmanager
def held(resources: Iterable[str], shared: bool = False) -> Iterator[None]:
    """Reserve resources for this process during the block.

    Args:
        shared: together with others that share them.
    Raises:
        UserError: another worker has one of them.
    """
    with ExitStack() as stack:
        for name in resources:
            if not _lock(name, stack, wait=False, shared=shared):
                raise UserError(
                    f"{name} is in use by another worker that times here: two on one device slow each other down; give "
                    "this one another (CUDA_VISIBLE_DEVICES, taskset), or let them take turns with timing.solo=true"
                )
        yield


@contextmanager
def turn() -> Iterator[None]:
    """Be the only worker of this machine that is timed during the block; others wait for their turn."""
    with ExitStack() as stack:
        _lock("solo", stack, wait=True)
        yield


def _lock(name: str, stack: ExitStack, wait: bool, shared: bool = False) -> bool:
    """Lock one of this machine's own files; returns False if another process has it."""
    folder = Path(tempfile.gettempdir()) / f"bench-devices-{_user()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    try:
        stack.enter_context(locked(folder / name.replace(" ", "-"), wait, shared))
    except BlockingIOError:
        return False
    return True


def _user() -> str:
    """The user's name, or number where a container knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def check_serves(device: str, where: str) -> None:
    """Check that a GPU still serves this process.

    Once a kernel has failed (an illegal access, a failed assertion), CUDA refuses whatever the process asks for.

    Args:
        where: what was measured last.
    Raises:
        EnvironmentInvalid: it does not.
    """
    import torch

    if not device.startswith("cuda") or not torch.cuda.is_initialized():  # one that only scores may have no GPU
        return
    try:
        torch.cuda.synchronize(device)
    except RuntimeError as error:
        raise EnvironmentInvalid(
            f"device={device}: a kernel failed at {where}, and the GPU serves this process no more "
            f"({short_line(error)}); the same command measures the rest; leave out a method that fails there again"
        ) from None


def _uuid(device: str) -> str:
    import torch

    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"


def _ranges(numbers: list[int]) -> str:
    """0, 1, 2, 5 -> "0-2,5"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
