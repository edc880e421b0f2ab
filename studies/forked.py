"""Commands in forked processes: imports happen once, and each command starts quickly in a folder of its own."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]


def import_everything() -> None:
    """Import what commands import lazily, so that children have it. Nothing is computed, so that no thread starts."""
    from bench.commands import COMMANDS

    names = [f"bench.commands.{command.replace('-', '_')}" for command in COMMANDS]
    names += ["bench.__main__", "turbovsr.__main__", "turbovsr.command", "bench.run.runner", "bench.report.summary"]
    names += ["baselines.interpolation", "baselines.basicvsr.upscaler", "baselines.realesrgan.upscaler"]
    for name in [*names, "pandas", "pyarrow", "lpips", "matplotlib.pyplot"]:
        importlib.import_module(name)


def start(words: tuple[str, ...], folder: Path, environment: dict[str, str], output_file: Path) -> int:
    """Start a command in a process group of its own; returns its process id.

    Args:
        words: the words after `python -m`: `bench` or `turbovsr`, and its arguments.
        folder: its working directory.
        environment: environment variables to set.
        output_file: for its standard output and standard error.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _become(words, folder, environment, output_file)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    return child


def wait(child: int, seconds: float) -> int | None:
    """Wait for a child; returns its exit code (negative: a signal's number), or None if it still runs then."""
    until = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= until:
            return None
        time.sleep(0.005)


def kill(child: int) -> None:
    """Kill a child and the processes that it started, by SIGKILL."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def apart(task: Callable[[], object]) -> None:
    """Run a task in a forked process, so that this one stays without threads.

    Raises:
        RuntimeError: it failed; its traceback is on stderr.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _end(lambda: task() and 0)
    if wait(child, 600):
        raise RuntimeError("a task in a forked process failed")


def _become(words: tuple[str, ...], folder: Path, environment: dict[str, str], output_file: Path) -> NoReturn:
    """Run the command in the child, then exit."""

    def run() -> None:
        os.setpgid(0, 0)
        os.chdir(folder)
        os.environ.update(environment)
        streams = os.open(output_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), streams, streams)):
            os.dup2(stream, number)
        tempfile.tempdir = None  # forget the folder that was found before the fork, for this environment's TMPDIR
        import torch

        from frames.command_line import process

        torch.set_num_threads(1)
        program, *sys.argv[1:] = words
        process(importlib.import_module(f"{program}.__main__").main)

    _end(run)


def _end(task: Callable[[], object]) -> NoReturn:
    code = 1
    try:
        task()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
