"""A worker that is killed in the middle of a clip: the next one takes the clip, and nothing is lost or done twice."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from bench.run import leases
from bench.run.job import jobs
from bench.store.records import RecordFile, worker_files
from tests.bench.own_method import write_method

ROOT = Path(__file__).parents[3]
SLOW = """
import time
from baselines.interpolation import Interpolation

class Slow(Interpolation):
    def upscale(self, lr, stages):
        time.sleep(3600 if lr.shape[0] == 3 else 0)
        return super().upscale(lr, stages)
"""


def test_a_killed_worker_is_followed_by_another(bench, clips, tmp_path, monkeypatch):
    mine = write_method(tmp_path, "slow", SLOW)
    monkeypatch.syspath_prepend(str(tmp_path))
    run = tmp_path / "run"
    (clips / "pan" / "00000002.png").unlink()  # two frames: quick; the other clip sleeps
    words = ("method=slow", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=none", "store=null")
    planned = bench("run", "--config-dir", mine, *words, f"out={run}", "workers=0")
    assert planned.code == 0, planned.err
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"}
    command = [sys.executable, "-m", "bench", "worker", str(run)]
    (job,) = jobs(run)
    for death in (1, 2):
        worker = subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL)
        while leases.taken(job.leases).get("1") != death and worker.poll() is None:
            time.sleep(0.05)
        worker.kill()
        worker.wait()
        assert bench("watch", run, "--once").out.count("dead") == 1
    answer = bench("worker", run)  # two workers died at that clip: it is failed, the other is done
    assert answer.code == 3 and "2 workers died at this clip" in answer.err, answer.err
    records = [record for file in worker_files(run) for record in RecordFile(file).read()]
    assert Counter(record.clip for record in records) == {"pan": 1, "tilt": 1}
    assert {record.clip: record.status for record in records} == {"pan": "ok", "tilt": "failed"}
    assert leases.taken(job.leases) == {}
