"""Locks: between processes, left by a child that was forked off, and where there are none."""

import errno
import os
import subprocess
import sys

import pytest

from frames.locks import locked

pytest.importorskip("fcntl", reason="no locks here")

HOLD = """
import os, signal, sys
from frames.locks import locked
with locked(sys.argv[1], shared=sys.argv[2] == "shared"):
    if os.fork() == 0:
        print("held", flush=True)
        sys.stdin.read()  # outlives its parent, until the test closes the pipe
        os._exit(0)
    signal.pause()
"""


@pytest.fixture
def hold():
    """`hold(path, kind)`: another process, with a child of its own, that holds a lock."""
    processes = []

    def begin(path, kind="alone") -> subprocess.Popen:
        command = [sys.executable, "-c", HOLD, str(path), kind]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("name", ["lock", "."])
def test_another_process_has_it_until_it_ends_and_its_children_do_not(hold, tmp_path, name):
    process = hold(tmp_path / name)
    for shared in (False, True):
        with pytest.raises(BlockingIOError), locked(tmp_path / name, wait=False, shared=shared):
            pass
    process.kill()
    process.wait()  # its child lives on: standard input is still open
    with locked(tmp_path / name, wait=False):
        pass


def test_those_who_share_keep_others_out(hold, tmp_path):
    hold(tmp_path / "lock", "shared")
    with locked(tmp_path / "lock", wait=False, shared=True):
        pass
    with pytest.raises(BlockingIOError), locked(tmp_path / "lock", wait=False):
        pass


def test_it_is_free_after_the_block(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyError), locked(tmp_path / "lock", wait=False):
            raise KeyError
    assert os.listdir(tmp_path) == ["lock"]


def test_a_file_system_without_locks_is_worked_on(tmp_path, monkeypatch):
    def no_locks(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("frames.locks.fcntl.flock", no_locks)
    with locked(tmp_path / "lock", wait=False):
        pass


def test_a_path_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), locked(tmp_path / "none" / "lock"):
        pass
