"""What is measured of one clip in several scopes."""

import weakref
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.methods.adapters import InProcess
from bench.run.cell import Inputs
from bench.run.upscale import _session
from bench.timing.measure import Limits
from tests.bench.own_method import write_method

HOLDS = """
import weakref
from baselines.interpolation import Interpolation

class Holds(Interpolation):
    made = weakref.WeakSet()
    def upscale(self, lr, stages):
        print("held", len(self.made))
        sr = super().upscale(lr, stages)
        self.made.add(sr)
        return sr
"""


def test_the_frames_of_one_scope_do_not_count_in_the_next(bench, clips, tmp_path, monkeypatch):
    """They were held through the scope `files`, whose memory peaks were higher by the SR frames of all methods."""
    monkeypatch.syspath_prepend(tmp_path)
    words = ("method=holds", "data=folder", f"data.gt={clips / 'pan'}", "metrics=[psnr]", f"out={tmp_path / 'run'}")
    times = ("timing.scopes=[tensors,files]", "timing.warmup=0", "timing.repeats=1", "timing.budget_s=0", "device=cpu")
    answer = bench("run", *words, *times, "--config-dir", write_method(tmp_path, "holds", HOLDS))
    assert answer.code == 0, answer.err
    assert [line for line in answer.out.splitlines() if line.startswith("held")][:2] == ["held 0", "held 0"]


def test_a_method_s_copy_of_the_lr_frames_counts_as_its_own():
    """Else the peak of a method on a GPU grows with the number of methods that take turns with it."""
    cell = SimpleNamespace(clip=None, held_mb=5.0, beside_mb=0.0, plan=SimpleNamespace(limits=Limits()))
    inputs = Inputs([np.zeros((64, 96, 3), np.uint8)] * 2, "", None)
    with ExitStack() as stack:
        tensors, files = (_session(cell, InProcess(None, "cpu"), s, inputs, stack) for s in ("tensors", "files"))
        assert (tensors.held_mb, files.held_mb) == (pytest.approx(5 + 2 * 64 * 96 * 3 / 2**20), 5.0)
    contents = [each.cell_contents for each in tensors.call.__closure__]
    (copy,) = [weakref.ref(each) for each in contents if isinstance(each, torch.Tensor)]
    del contents
    tensors.release()  # before the next scope
    assert copy() is None
