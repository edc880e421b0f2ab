"""Temporary entries of the store, named by the process that writes them: a living one's are left alone."""

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
    return f".tmp-{_host()}-{os.getpid()}-{_began(os.getpid())}-{uuid4().hex}"


def is_temporary(name: str) -> bool:
    """Whether this is a name that `temporary_name` gave."""
    return _NAME.fullmatch(name) is not None


def owner(name: str) -> Literal["alive", "gone", "unknown"]:
    """The state of the process that gave this name; unknown on other hosts."""
    match = _NAME.fullmatch(name)
    if match is None or match["host"] != _host():
        return "unknown"
    return "alive" if str(_began(int(match["pid"]))) == match["began"] else "gone"


def make_temporary(folder: Path) -> Path:
    """A path of such a name in a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / temporary_name()


@cache
def _host() -> str:
    return re.sub(r"[^\w.]", "_", socket.gethostname(), flags=re.ASCII) or "_"


def _began(pid: int) -> int:
    """When a process began, in hundredths of a second of some epoch; 0 where there is no such process."""
    try:
        return round(psutil.Process(pid).create_time() * 100)
    except (psutil.Error, OverflowError):
        return 0
