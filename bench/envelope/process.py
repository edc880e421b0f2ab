"""The process of a trial, as its parent starts it, waits for it, and stops it by the clock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.envelope.limits import CannotLimit
from bench.envelope.request import Answer, Request
from bench.envelope.started import kill, started_by
from bench.launch.crew import environment, last_line
from bench.store import typed
from bench.store.trials import FAILED, MEMORY, SLOW
from frames.out_of_memory import says_out_of_memory
from frames.text import printable

MODULE = "bench.envelope.child"
_KILLED = "the system ended it (signal 9), as it does when its own memory runs out"


@dataclass(frozen=True)
class Runner:
    """Runs trials, each in a process of its own.

    Args:
        limit_s: seconds after which one is stopped, loading included.
    """

    limit_s: float

    def __call__(self, request: Request) -> Answer:
        """Run one trial and return its answer. An interrupt ends its process and is raised.

        Raises:
            CannotLimit: no trial can be made on this machine.
        """
        with tempfile.TemporaryDirectory(prefix="bench-") as made:
            answer, output_file = Path(made, "answer.json"), Path(made, "said.txt")
            with open(output_file, "wb") as output:
                process = subprocess.Popen(
                    [sys.executable, "-m", MODULE, str(answer)],
                    env=environment(),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C is the parent's
                )
            try:
                return self._answer(process, request, answer, output_file)
            finally:
                _end(process)

    def _answer(self, process: subprocess.Popen, request: Request, answer: Path, output_file: Path) -> Answer:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write((json.dumps(typed.to_json(request)) + "\n").encode())
            process.stdin.flush()
        try:
            code = process.wait(self.limit_s)
        except subprocess.TimeoutExpired:
            return Answer(outcome=SLOW, reason=f"it took longer than trial_s={self.limit_s:g}")
        if code == 0 and answer.is_file():
            given = typed.from_json(Answer, json.loads(answer.read_text(encoding="utf-8")))
            if given.environment:
                raise CannotLimit(given.environment)
            return given
        if code == -signal.SIGKILL:
            return Answer(outcome=MEMORY, reason=_KILLED)
        words = printable(last_line(output_file))[:300]
        how = f"ended by signal {-code}" if code < 0 else f"ended with {code}"
        text = output_file.read_text(encoding="utf-8", errors="replace")
        return Answer(outcome=MEMORY if says_out_of_memory(text) else FAILED, reason=f"{how}: {words}")


def _end(process: subprocess.Popen) -> None:
    """End a process and all that it started, programs in sessions of their own included."""
    process.send_signal(signal.SIGSTOP)  # it starts no other meanwhile
    started = started_by(process.pid) if process.returncode is None else []
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    kill(started)
    process.wait()
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()
