"""Temporary entries of the store, named by the process that writes them; those of living processes are left alone."""

from __future__ import annotations

import os
import re
import socket
from functools import cache
from pathlib import Path
from typing import Literal
from uuid import uuid4

import psutil

_NAME = re.compile(r"\.tmp-(?P<host>[\w.]+)-(?P<pid>\d+)-(?P<began>\d+)-[0-9a-f]{32}")


def temporary_name() -> str:
    """A new name: `.tmp-<host>-<pid>-<start of the process>-<random>`."""
    return ".tmp-{}-{}-{}".format(*this_process()) + f"-{uuid4().hex}"


def is_temporary(name: str) -> bool:
    """Whether a name has the form of `temporary_name`."""
    return _NAME.fullmatch(name) is not None


State = Literal["alive", "gone", "unknown"]


def owner(name: str) -> State:
    """The state of the process that made a temporary name; unknown on other hosts."""
    match = _NAME.fullmatch(name)
    return owner_of(match["host"], int(match["pid"]), int(match["began"])) if match else "unknown"


def owner_of(host: str, pid: int, began: int, system: str = "") -> State:
    """The state of a process (see `this_process`); unknown on other hosts.

    Args:
        system: of the process (see `this_system`); empty: not known, so that the host's name decides.
    """
    if host != _host() or (system and system != this_system()):
        return "unknown"
    return "alive" if _began(pid) == began else "gone"


def this_process() -> tuple[str, int, int]:
    """(host, process id, when it began): one process of all that share a file system."""
    return _host(), os.getpid(), _began(os.getpid())


@cache
def this_system() -> str:
    """The running system whose numbers processes have here: its boot and, in a container, the container's own.

    Names do not tell systems apart: machines made from one image, and containers in the host's network, share one.
    Empty where there is no Linux.
    """
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def make_temporary(folder: Path) -> Path:
    """A path with a new temporary name in a folder, which is created."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / temporary_name()


@cache
def _host() -> str:
    return re.sub(r"[^\w.]", "_", socket.gethostname(), flags=re.ASCII) or "_"


def _began(pid: int) -> int:
    """When a process began, in hundredths of a second of some epoch; 0 if there is none, or it has ended."""
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE  # and nobody has asked for its exit code yet
        return 0 if ended else _since_boot(pid) or round(process.create_time() * 100)
    except (psutil.Error, OverflowError):
        return 0


def _since_boot(pid: int) -> int:
    """When a process began, by Linux's clock since boot; 0 on other systems."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        return int(stat.rpartition(b")")[2].split()[19])  # the 22nd field; the second is a name in brackets
    except (OSError, ValueError, IndexError):
        return 0
