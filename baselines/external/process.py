"""Running of an external program: found first, ended with all its child processes, its last lines kept."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

LAST_LINES = 5
"""Number of last lines of a failed program's output that go into the message."""
LONGEST_LINE = 300  # characters of such a line; of a longer one its two ends
MOST_OUTPUT = 1 << 20  # bytes at the end of an output that are read


class ProgramError(RuntimeError):
    """The program failed; the message has its name, how it ended and its last lines."""


def find(word: str, cwd: Path, path: str | None, option: str) -> Path:
    """Find the executable that the first word of a command names, as a shell in `cwd` would.

    Args:
        word: a name to be looked up in `path` (the variable PATH), or a path, relative to `cwd`.
        option: the option with the command, for messages.
    Raises:
        FileNotFoundError: there is none; the line names the remedy.
    """
    if os.sep in word or (os.altsep and os.altsep in word):
        file = cwd / word
        if not (file.is_file() and os.access(file, os.X_OK)):
            raise FileNotFoundError(f"method.{option}: {file} is not there or not executable; correct the path")
        return file.absolute()
    found = shutil.which(word, path=path)
    if found is None:
        raise FileNotFoundError(f"method.{option}: no program '{word}' on PATH; install it, or write its full path")
    return Path(found)


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str], timeout_s: float | None) -> str:
    """Run a command to its end, then kill all processes left of its session, also when the wait is interrupted.

    Returns:
        What it wrote to standard output and then to standard error, of each the last MiB.
    Raises:
        ProgramError: it could not be started, ended with another exit code than 0, or took longer than `timeout_s`.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramError(f"{command[0]} cannot be started: {error.strerror or error}") from error
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ProgramError(f"{command[0]} took longer than method.timeout_s={timeout_s:g}") from None
        finally:
            _end(process)
        output, errors = _text(out), _text(err)
    if code != 0:
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        words = _last_words(errors) or _last_words(output)
        raise ProgramError(f"{command[0]} {ended}" + (f"; its last words: {words}" if words else ", without a word"))
    return output + errors


def _end(process: subprocess.Popen) -> None:
    """Kill the processes that are left of a process's session: an upscaler's workers must not outlive their clip."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # the whole session is gone (macOS: only zombies are left)
            return
    elif process.poll() is None:
        process.kill()
    process.wait()


def _text(file) -> str:
    file.seek(max(file.seek(0, os.SEEK_END) - MOST_OUTPUT, 0))
    return file.read().decode(errors="replace")


def _last_words(text: str) -> str:
    """The last lines that are not empty, without colour codes; of a line that is redrawn, its last state."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    lines = [line.rstrip("\r").rpartition("\r")[2].strip() for line in text.split("\n")]
    return " / ".join([_shortened(line) for line in lines if line][-LAST_LINES:])


def _shortened(line: str) -> str:
    half = LONGEST_LINE // 2
    return line if len(line) <= LONGEST_LINE else f"{line[:half]} ... {line[-half:]}"
