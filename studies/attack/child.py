"""Run a command in a forked process: everything is imported once, and each command has memory and time of its own."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from studies.attack.case import Case, Outcome

LIMIT_S = 60.0
LIMIT_MB = 4096.0
FILE_BYTES = 3 * 2**30
SLEEP_S = 0.02


def import_everything() -> None:
    """Import what commands import lazily, so that children begin with it. Nothing is computed: no threads begin."""
    import importlib

    import bench.__main__  # noqa: F401
    from bench.commands import COMMANDS

    for command in COMMANDS:
        importlib.import_module(f"bench.commands.{command.replace('-', '_')}")
    for module in ("turbovsr.command", "bench.run.runner", "bench.report.summary", "pandas", "pyarrow", "lpips"):
        importlib.import_module(module)
    for package in ("baselines.interpolation", "baselines.basicvsr.upscaler", "baselines.realesrgan.upscaler"):
        importlib.import_module(package)


def run(case: Case, folder: Path, environment: dict[str, str], said: Path) -> Outcome:
    """The command of a case, with `folder` as working directory and its output in the file `said`."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _become(case, folder, environment, said)
    hung = too_large = False
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            break
        hung = time.monotonic() - began > LIMIT_S
        too_large = _resident_mb(child) > LIMIT_MB
        if hung or too_large:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            break
        time.sleep(SLEEP_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # what it may have started and left behind
    text = said.read_text(encoding="utf-8", errors="replace") if said.is_file() else ""
    peak = usage.ru_maxrss / 1024
    code = os.waitstatus_to_exitcode(status)
    return Outcome(code, time.monotonic() - began, peak, text[-20_000:], hung=hung, too_large=too_large)


def apart(task: Callable[[], object]) -> None:
    """Do something in a forked process, so that this one stays without threads.

    Raises:
        RuntimeError: it failed; its traceback is on stderr.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            task()
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError("the material could not be made")


def _become(case: Case, folder: Path, environment: dict[str, str], said: Path) -> None:
    """In the child: run the command as a process of its own would, and end."""
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        os.environ.update(environment)
        streams = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(streams, 1)
        os.dup2(streams, 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        program, *words = case.words
        sys.argv = [program, *words]
        import torch

        from frames.command_line import process

        tempfile.tempdir = None  # that of this case, not the one that was looked up before the fork
        torch.set_num_threads(1)
        module = sys.modules["bench.__main__"] if program == "bench" else _turbovsr()
        process(module.main)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _turbovsr() -> ModuleType:
    import turbovsr.__main__

    return turbovsr.__main__


def _resident_mb(process: int) -> float:
    """Resident memory of a process now, in MiB; 0 when it is gone."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGESIZE") / 2**20
