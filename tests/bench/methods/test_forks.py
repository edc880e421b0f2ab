"""A process that a method forks: it never works on the run, whatever its code does, and signals end it."""

import os
import signal
import sys

import numpy as np
import pytest

from bench.commands.run import signals_as_interrupts
from bench.methods.calls import on_tensors
from bench.methods.contract import no_stages


class Forks:
    """A method whose forked process does something of its own; `code` is how that ended."""

    def __init__(self, act):
        self.act, self.code = act, None

    def upscale(self, lr, stages=no_stages):
        child = os.fork()
        if child:
            self.code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        else:
            self.act()
        return lr.clone()


def fails():
    raise RuntimeError("in the child")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@pytest.mark.parametrize(
    "act, code",
    [
        (lambda: None, 0),
        (lambda: sys.exit(5), 5),
        (lambda: sys.exit("a reason"), 1),
        (fails, 1),
        (lambda: signal.raise_signal(signal.SIGTERM), -signal.SIGTERM),
    ],
)
def test_a_forked_process_ends_with_the_method_s_code(act, code):
    method = Forks(act)
    with signals_as_interrupts():
        sr = on_tensors(method, [np.zeros((4, 4, 3), np.uint8)], "cpu")(no_stages, False)()
    assert method.code == code and sr.shape == (1, 3, 4, 4)
