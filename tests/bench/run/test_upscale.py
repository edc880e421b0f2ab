"""What is measured of one clip in several scopes."""

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
