"""A whole timed run on a GPU that is pretended: events, memory, telemetry, files, arithmetic and records together."""

import os
import subprocess
import sys

import pytest

from bench.store.records import load


@pytest.mark.slow
def test_a_timed_run_on_a_gpu(clips, tmp_path):
    """Each part had its tests, and yet every clip failed whose run had all of them."""
    words = ("method=bicubic,turbovsr", "data=folder", f"data.gt={clips / 'pan'}", "metrics=[psnr]", "device=cuda")
    times = ("timing.scopes=[tensors,files]", "timing.repeats=1", f"out={tmp_path / 'run'}", "store=null")
    command = [sys.executable, "-m", "tests.pretended_cuda", "run", *words, *times]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    records = load(tmp_path / "run").records
    assert [record.device for record in records] == 2 * ["Pretended A100"]
    assert [record.descriptor.dtype for record in records] == ["float32", "bfloat16"]
    for record in records:
        assert record.macs and record.scores["psnr"].values
        for timing in record.timing.values():
            assert timing.clock == "cuda events" and timing.peak_memory_kind == "device, allocated by torch"
            (repetition,) = timing.repetitions
            assert repetition.telemetry.power_w == 300 and repetition.total_s > 0
    tensors, files = (records[1].timing[scope].repetitions[0].stages_s for scope in ("tensors", "files"))
    assert "decode" in tensors and files.keys() - tensors.keys() == {"read", "write"}
