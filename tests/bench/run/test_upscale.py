"""What is measured of one clip in several scopes."""

import json
import weakref
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.methods.adapters import InProcess
from bench.methods.settings import OwnSettings
from bench.run.cell import Cell, Inputs, Upscaled
from bench.run.upscale import _session, upscale
from bench.timing import measure
from bench.timing.measure import Limits
from tests.bench.own_method import AS_NEAREST, write_method

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


FAILS = HOLDS.replace(
    "    made =",
    """    def __init__(self, fails, **options):
        if fails:
            raise RuntimeError("no room")
        super().__init__(**options)

    made =""",
)


def test_a_method_that_cannot_be_loaded_holds_no_frames_of_the_others(bench, clips, tmp_path, monkeypatch):
    """Its error, raised again for each clip, kept the clip's SR frames of all methods until the end of the run."""
    monkeypatch.syspath_prepend(tmp_path)
    folder = write_method(tmp_path, "holds", FAILS, f"{AS_NEAREST}fails: false\n")
    words = ("method=holds", "method.fails=false,true", "data=folder", f"data.gt={clips}", "metrics=[psnr]")
    answer = bench("run", *words, "timing=none", "device=cpu", f"out={tmp_path / 'run'}", "--config-dir", folder)
    assert answer.code == 3 and "2 clips good, 2 failed" in answer.err
    assert [line for line in answer.out.splitlines() if line.startswith("held")] == ["held 0", "held 0"]


def test_a_method_that_failed_in_one_scope_does_not_count_in_the_next(monkeypatch):
    """Its weights stay in memory, and were in the peaks of all other methods."""
    monkeypatch.setattr("bench.run.upscale._keep", lambda *_: None)
    monkeypatch.setattr("bench.run.upscale._collected", lambda cell, adapter, sessions: Upscaled([], "", None))
    foreign = []

    class Method:
        def __init__(self, fails=False):
            self.fails = fails

        def upscale(self, lr, stages):
            if self.fails:
                raise RuntimeError("no room")
            return lr

    def cell(method, held_mb):
        plan = SimpleNamespace(limits=Limits(0, 1), config=SimpleNamespace(timing=SimpleNamespace(scopes=scopes)))
        plan.is_timed, plan.method, plan.data = True, "own", "toy"
        return Cell(plan, SimpleNamespace(name=""), None, InProcess(method, "cpu", OwnSettings()), held_mb)

    def guarded(session, sessions, step):
        real(session, sessions, step)
        foreign.append(session.foreign_mb)

    scopes, real = ["tensors", "files"], measure._guarded
    monkeypatch.setattr(measure, "_guarded", guarded)
    cells = [cell(Method(), 1.0), cell(Method(fails=True), 4000.0)]
    upscale(cells, Inputs([np.zeros((8, 8, 3), np.uint8)], "", None), None, lambda text: None)
    assert cells[0].error is None and "no room" in str(cells[1].error)
    assert len(foreign) == 6 and foreign[-1] == 4000


def test_a_method_s_copy_of_the_lr_frames_counts_as_its_own():
    """Else the peak of a method on a GPU grows with the number of methods that take turns with it."""
    cell = SimpleNamespace(clip=None, held_mb=5.0, beside_mb=0.0, plan=SimpleNamespace(limits=Limits()))
    inputs = Inputs([np.zeros((64, 96, 3), np.uint8)] * 2, "", None)
    with ExitStack() as stack:
        tensors, files = (
            _session(cell, InProcess(None, "cpu", OwnSettings()), s, inputs, stack) for s in ("tensors", "files")
        )
        assert (tensors.held_mb, files.held_mb) == (pytest.approx(5 + 2 * 64 * 96 * 3 / 2**20), 5.0)
    contents = [each.cell_contents for each in tensors.call.__closure__]
    (copy,) = [weakref.ref(each) for each in contents if isinstance(each, torch.Tensor)]
    del contents
    tensors.release()  # before the next scope
    assert copy() is None


BUFFER = """
import torch
from baselines.interpolation import Interpolation

class Buffer(Interpolation):
    # all its networks share one buffer for their frames
    shared = {}
    def __init__(self, gain, own=False, **options):
        super().__init__(**options)
        self.gain, self.shared = gain, {} if own else self.shared

    def upscale(self, lr, stages):
        sr = super().upscale(lr, stages)
        return torch.mul(sr, self.gain, out=self.shared.setdefault(sr.shape, torch.empty_like(sr)))
"""


def test_frames_that_a_later_call_overwrites_are_not_scored(bench, clips, tmp_path, monkeypatch):
    """The first row of the sweep had the scores of the second."""
    monkeypatch.syspath_prepend(tmp_path)
    folder = write_method(tmp_path, "buffer", BUFFER, f"{AS_NEAREST}gain: 1\nown: false\n")
    words = ("method=buffer", "data=folder", f"data.gt={clips / 'pan'}", "metrics=[psnr]", "device=cpu", "store=null")
    runs = {"one": ["method.gain=1"], "own": ["method.gain=1,0", "method.own=true"], "two": ["method.gain=1,0"]}
    psnr = {}
    for name, own in runs.items():
        answer = bench("run", *words, "timing=once", *own, f"out={tmp_path / name}", "--config-dir", folder)
        assert answer.code == (3 if name == "two" else 0), answer.err
        records = map(json.loads, (tmp_path / name / "records.jsonl").read_text().splitlines())
        psnr[name] = [each["reason"] or each["scores"]["psnr"]["values"] for each in records]
    assert psnr["one"][0] == psnr["own"][0] != psnr["own"][1] == psnr["two"][1]
    assert "a later call changed the frames that the method had returned" in psnr["two"][0]
