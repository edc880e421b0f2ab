"""Settings of the process: what a method's code sets holds for that method alone."""

import io
import os
import signal
import sys

import cv2
import numpy as np
import pytest
import torch

from bench.methods.settings import OwnSettings, restored
from tests.bench.own_method import AS_NEAREST, write_method

HASTY = """
import os
import torch
from baselines.interpolation import Interpolation

class Hasty(Interpolation):
    def __init__(self, hasty, **options):
        super().__init__(**options)
        self.hasty = hasty
        if hasty:
            torch.set_default_dtype(torch.float64)

    def upscale(self, lr, stages):
        print("seen", self.hasty, torch.get_default_dtype(), os.getcwd(), flush=True)
        if self.hasty:
            os.chdir("/")
        return super().upscale(lr, stages)
"""

OTHERS = {  # a setting: how it is read, and how a careless method changes it
    "threads": (torch.get_num_threads, lambda: torch.set_num_threads(torch.get_num_threads() + 1)),
    "dtype": (torch.get_default_dtype, lambda: torch.set_default_dtype(torch.float64)),
    "device": (torch.get_default_device, lambda: torch.set_default_device("meta")),
    "casts": (lambda: torch.is_autocast_enabled("cpu"), lambda: torch.autocast("cpu").__enter__()),
    "casts on a GPU": (lambda: torch.is_autocast_enabled("cuda"), lambda: torch.set_autocast_enabled("cuda", True)),
    "gradients": (torch.is_grad_enabled, lambda: torch.set_grad_enabled(False)),
    "products": (torch.get_float32_matmul_precision, lambda: torch.set_float32_matmul_precision("medium")),
    "float32": (lambda: torch.backends.fp32_precision, lambda: setattr(torch.backends, "fp32_precision", "tf32")),
    "float32 on a GPU": (
        lambda: (torch.backends.cudnn.fp32_precision, torch.backends.cuda.matmul.fp32_precision),
        lambda: setattr(torch.backends.cudnn, "fp32_precision", "tf32"),
    ),
    "recurrent float32": (
        lambda: torch.backends.cudnn.rnn.fp32_precision,
        lambda: setattr(torch.backends.cudnn.rnn, "fp32_precision", "ieee"),
    ),
    "search": (lambda: torch.backends.cudnn.benchmark, lambda: setattr(torch.backends.cudnn, "benchmark", True)),
    "onednn": (lambda: torch.backends.mkldnn.enabled, lambda: setattr(torch.backends.mkldnn, "enabled", False)),
    "numpy": (np.geterr, lambda: np.seterr(all="raise")),
    "opencv": (cv2.getNumThreads, lambda: cv2.setNumThreads(cv2.getNumThreads() + 1)),
    "folder": (os.getcwd, lambda: os.chdir("/")),
    "environment": (lambda: os.environ.get("OF_A_TEST"), lambda: os.environ.update(OF_A_TEST="1")),
    "output": (lambda: sys.stdout, lambda: setattr(sys, "stdout", io.StringIO())),
    "errors": (lambda: sys.stderr, lambda: setattr(sys, "stderr", io.StringIO())),
    "signal": (lambda: signal.getsignal(signal.SIGTERM), lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)),
}


if len(getattr(os, "sched_getaffinity", lambda _: ())(0)) > 1:
    OTHERS["processors"] = (
        lambda: os.sched_getaffinity(0),
        lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
    )


@pytest.mark.parametrize("read, change", OTHERS.values(), ids=OTHERS)
def test_what_a_method_sets_is_not_left_to_others(read, change):
    before = read()
    with pytest.raises(RuntimeError), restored():
        change()
        assert read() != before
        raise RuntimeError
    assert read() == before


def test_what_a_method_sets_is_there_at_its_next_call():
    seen, own = [], OwnSettings()
    for _ in range(3):
        with own.in_force():
            seen.append((torch.get_default_dtype(), "OF_A_TEST" in os.environ))
            torch.set_default_dtype(torch.float64)
            os.environ["OF_A_TEST"] = "1"
        assert torch.get_default_dtype() is torch.float32 and "OF_A_TEST" not in os.environ
    assert seen == [(torch.float32, False), (torch.float64, True), (torch.float64, True)]


def test_two_rows_of_a_run_do_not_disturb_each_other(bench, clips, tmp_path, monkeypatch):
    """The second had the first one's dtype, and after the change of folder the records went elsewhere."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    folder = write_method(tmp_path, "hasty", HASTY, f"{AS_NEAREST}hasty: true\n")
    words = ("method=hasty", "method.hasty=true,false", "data=folder", f"data.gt={clips / 'pan'}", "metrics=[psnr]")
    answer = bench("run", *words, "timing.repeats=2", "device=cpu", "out=run", "--config-dir", str(folder))
    assert answer.code == 0, answer.err
    seen = {line for line in answer.out.splitlines() if line.startswith("seen")}
    assert f"seen False torch.float32 {tmp_path}" in seen and not any("False torch.float64" in line for line in seen)
    assert f"seen True torch.float64 {tmp_path}" in seen and "seen False torch.float32 /" not in seen
    assert len((tmp_path / "run" / "records.jsonl").read_text().splitlines()) == 2
