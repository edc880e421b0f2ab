"""Trials in real processes: memory that runs out, aborts, time limits and errors cost the trial alone."""

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from bench.envelope import limits, process
from bench.envelope.child import answered
from bench.envelope.limits import CannotLimit
from bench.envelope.process import MODULE, Runner
from bench.envelope.request import Request, Settings
from bench.launch.crew import environment
from bench.store import typed
from bench.store.trials import FAILED, FITS, MEMORY, SLOW, ClipSize

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits a process's memory")
LIMIT = 2 << 30
POINT = ClipSize(32, 16, 2)


def settings(**method) -> Settings:
    return Settings(
        method={"_target_": "tests.bench.envelope.stand_in.Greedy"} | method,
        device="cpu",
        threads=1,
        scale=2,
        memory=None,
        scope="tensors",
        warmup=0,
        repeats=1,
        budget_s=1.0,
    )


def trial(memory=None, limit_s=600.0, **method):
    return Runner(limit_s)(Request(settings=replace(settings(**method), memory=memory), point=POINT))


def test_memory_within_the_limit_fits_and_beyond_it_is_refused():
    fits = trial(then="take", megabytes=400, memory=LIMIT)
    assert fits.outcome == FITS and len(fits.seconds) == 1 and fits.loaded_mb > 50
    if "sampled" not in fits.peak_kind:  # else the block may have come and gone between two looks
        assert 400 <= fits.peak_mb - fits.loaded_mb < 700
    refused = trial(then="take", megabytes=LIMIT >> 20, memory=LIMIT)
    assert refused.outcome == MEMORY and "allocate" in refused.reason


def test_an_abort_for_lack_of_memory_is_told():
    aborted = trial(then="abort")
    assert aborted.outcome == MEMORY and aborted.reason.startswith(f"ended by signal {int(signal.SIGABRT)}: terminate")


def test_an_error_of_the_method_is_the_answer_and_loading_alone_needs_no_clip(tmp_path):
    """In this process: no memory is limited here."""
    failed = answered(Request(settings=settings(then="fail"), point=POINT), tmp_path)
    assert failed.outcome == FAILED and failed.reason == "it does not like this clip"
    loaded = answered(Request(settings=settings(then="fail")), tmp_path).loaded
    assert loaded.kind == "cpu" and loaded.descriptor["name"] == "greedy" and loaded.memory_mb > 0


def test_a_trial_is_stopped_by_the_clock():
    stopped = trial(then="wait", limit_s=1.0)
    assert stopped.outcome == SLOW and "trial_s=1" in stopped.reason


PROGRAM = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()} {sys.argv[2]}")
time.sleep(600)
"""


def of_a_program(tmp_path) -> Settings:
    """A program that says its process and the folder of its input, and does not end."""
    (tmp_path / "theirs.py").write_text(PROGRAM)
    command = [sys.executable, str(tmp_path / "theirs.py"), str(tmp_path / "said"), "{input}", "{output}"]
    method = {"_target_": "baselines.external.External", "command": command, "scale": 2}
    return replace(settings(), method=method, scope="files")


def has_ended(pid: int, within_s: float = 20.0) -> bool:
    until = time.monotonic() + within_s
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_a_program_and_its_files_are_gone_with_a_trial_that_is_stopped(tmp_path, monkeypatch):
    def until_it_runs(self, timeout=None):
        while timeout is not None and self.poll() is None:
            if (tmp_path / "said").exists():
                raise subprocess.TimeoutExpired(self.args, timeout)
            time.sleep(0.05)
        return waited(self, timeout)

    waited = subprocess.Popen.wait
    monkeypatch.setattr(subprocess.Popen, "wait", until_it_runs)
    answer = Runner(100.0)(Request(settings=of_a_program(tmp_path), point=POINT))
    pid, folder = (tmp_path / "said").read_text().split()
    assert answer.outcome == SLOW and has_ended(int(pid)) and not Path(folder).exists()


def test_a_trial_ends_with_its_parent(tmp_path):
    """Standard input closes when the parent dies, however it dies."""
    request = Request(settings=settings(then="wait"), point=POINT)
    child = subprocess.Popen(
        [sys.executable, "-m", MODULE, str(tmp_path / "answer.json")], env=environment(), stdin=subprocess.PIPE
    )
    child.stdin.write((json.dumps(typed.to_json(request)) + "\n").encode())
    child.stdin.close()
    assert child.wait(600) == 1 and not (tmp_path / "answer.json").exists()


@pytest.mark.parametrize(
    "hard, remedy", [(3 << 30, r"raise that limit, or give memory=\d+MB or less"), (1 << 20, "raise that limit$")]
)
def test_a_hard_limit_below_the_one_asked_for_is_told_before_any_trial(monkeypatch, tmp_path, hard, remedy):
    """As where `ulimit -Hd` or a scheduler has set one. Nothing is limited here."""
    monkeypatch.setattr(limits.resource, "getrlimit", lambda what: (hard, hard))
    monkeypatch.setattr(limits.resource, "setrlimit", lambda *words: pytest.fail("was limited"))
    answer = answered(Request(settings=replace(settings(then="fail"), memory=1 << 50)), tmp_path)
    assert answer.loaded is None and re.search(remedy, answer.environment), answer.environment
    assert "ulimit -Hd" in answer.environment and "memory=1.13e+06GB" in answer.environment


def test_no_method_is_blamed_for_a_limit_that_cannot_be_set(monkeypatch):
    """Exit code 4 of the command, and no trial that a later call would believe."""
    monkeypatch.setattr(process, "MODULE", "tests.bench.envelope.cannot_limit")
    with pytest.raises(CannotLimit, match="ulimit") as told:
        trial()
    assert told.value.exit_code == 4


def test_on_a_gpu_the_limit_is_that_of_torchs_allocator(monkeypatch):
    """torch refuses a device without a number here: every trial with memory= failed."""
    fractions = {}
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=4 << 30))
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda.memory, "_lazy_init", lambda: None)
    monkeypatch.setattr(
        torch._C, "_cuda_setMemoryFraction", lambda fraction, index: fractions.update({index: fraction}), raising=False
    )
    for device in ("cuda", "cuda:1"):
        limits.limit_memory(1 << 30, device)
    assert fractions == {0: 0.25, 1: 0.25}
