import ctypes
import os
import platform
import subprocess
import sys

import pytest

from turbovsr import freed_memory

PROGRAM = """
import resource, torch
from turbovsr.freed_memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        blocks = [torch.ones(11 * 2**20, dtype=torch.uint8) for _ in range(3)]
        del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
faults()
before = faults()
keep_freed_memory()
faults()
print(before, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc is not glibc's")
def test_what_was_freed_is_not_faulted_in_again():
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "LD_"))}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=plain)
    before, after = map(int, done.stdout.split())
    assert after <= before / 10


def test_free_memory_is_given_back_where_the_c_library_can(monkeypatch):
    calls = []
    monkeypatch.setattr(freed_memory, "_trim", lambda: calls.append)
    freed_memory.give_back_freed_memory()
    assert calls == [0]  # nothing is kept for later


def test_elsewhere_nothing_happens(monkeypatch):
    def no_handle(name):
        raise TypeError("this system has no handle of the process")

    monkeypatch.setattr(ctypes, "CDLL", no_handle)
    freed_memory._trim.cache_clear()
    try:
        freed_memory.give_back_freed_memory()
    finally:
        freed_memory._trim.cache_clear()
