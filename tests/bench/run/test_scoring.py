"""Predictions of one clip scored together: shared truth, order, isolation, protocol frames, clips without GT."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.datasets.clip import build_clip
from bench.datasets.sources import Mapped
from bench.metrics.base import Kind
from bench.metrics.features import full_precision
from bench.metrics.of_gt import of_gt
from bench.metrics.protocol import Protocol
from bench.metrics.registry import build
from bench.report.notes import score_note
from bench.run.cell import Cell, Inputs, Machine, Upscaled
from bench.run.score import score
from bench.run.scoring import PredictionScores, described, score_together
from bench.store.store import Store


class Frames:
    """Frames in memory as a source."""

    where = "memory"

    def __init__(self, frames):
        self._frames = frames
        self.frames, self.size = len(frames), frames[0].shape[:2]
        self.read = 0

    def __iter__(self):
        for frame in self._frames:
            self.read += 1
            yield frame


@pytest.fixture
def truth(photo):
    return [np.ascontiguousarray(photo[100 + t : 164 + t, 150:230]) for t in range(4)]


@pytest.fixture
def clip_of(truth):
    def make(with_gt=True):
        source = Frames(truth)
        small = Mapped(source, lambda frame: np.ascontiguousarray(frame[::2, ::2]), (32, 40))
        clip = build_clip("c", scale=2, fps=24, gt=source if with_gt else None, lr=small, degradation=None)
        return clip, source

    return make


def noisy(frames, amount):
    rng = np.random.default_rng(amount)
    return [
        np.clip(f.astype(int) + rng.integers(-amount, amount + 1, f.shape), 0, 255).astype(np.uint8) for f in frames
    ]


METRICS = ("psnr", "ssim", "lpips-alex", "tof")


def test_scores_equal_those_of_each_prediction_alone_and_gt_is_read_once(clip_of, truth):
    clip, source = clip_of()
    source.read = 0
    sheets = [
        PredictionScores(noisy(truth, n), {name: build(name) for name in METRICS}, Protocol()) for n in (5, 20, 40)
    ]
    score_together(sheets, clip, lambda: None)
    assert source.read == 4
    for sheet, amount in zip(sheets, (5, 20, 40)):
        assert sheet.error is None
        for name in ("psnr", "ssim", "lpips-alex"):
            expected = [build(name).score(sr, gt) for sr, gt in zip(noisy(truth, amount), truth)]
            assert sheet.values[name] == pytest.approx(expected, abs=1e-6)
        assert len(sheet.values["tof"]) == 3


class Writes:
    """A metric of one's own that works on the frames it is given, as `sr -= gt` does."""

    kind, signature = Kind("writes", "", "lower", 1), "writes|v1"

    def score(self, sr, gt):
        sr[:] = gt[:] = 0
        return 0.0


def test_a_metric_of_ones_own_that_writes_into_frames_changes_no_other_score(clip_of, truth):
    """The PSNR beside it was infinite."""
    metrics = {"writes": Writes(), "writes-gt": of_gt(Writes()), "psnr": build("psnr")}
    sheet = PredictionScores(noisy(truth, 5), metrics, Protocol())
    score_together([sheet], clip_of()[0], lambda: None)
    assert sheet.values["psnr"] == [build("psnr").score(sr, gt) for sr, gt in zip(noisy(truth, 5), truth)]
    assert sheet.values["writes"] == sheet.values["writes-gt"] == [0.0] * 4


def test_a_broken_prediction_ends_alone(clip_of, truth):
    clip, _ = clip_of()
    broken = PredictionScores(noisy(truth[:2], 5) + [truth[0][:-1]] * 2, {"psnr": build("psnr")}, Protocol())
    short = PredictionScores(truth[:3], {"psnr": build("psnr")}, Protocol())
    good = PredictionScores(noisy(truth, 5), {"psnr": build("psnr")}, Protocol())
    score_together([broken, short, good], clip, lambda: None)
    assert "SR frame is 80x63" in str(broken.error) and "only 3 SR frames" in str(short.error)
    assert good.error is None and len(good.values["psnr"]) == 4


def test_the_protocol_chooses_the_frames(clip_of, truth):
    clip, _ = clip_of()
    protocol = Protocol(drop_first=1, drop_last=1)
    sheet = PredictionScores(noisy(truth, 9), {"psnr": build("psnr", protocol)}, protocol)
    steps = []
    score_together([sheet], clip, lambda: steps.append(1))
    assert len(sheet.values["psnr"]) == 2 and len(steps) == 4
    assert described(build("psnr", protocol), sheet.values["psnr"], protocol.indices(4), None).indices == [1, 2]


def test_without_gt_only_metrics_that_need_none_are_computed(clip_of, truth):
    clip, _ = clip_of(with_gt=False)
    big = [np.tile(frame, (4, 4, 1)) for frame in truth]
    sheet = PredictionScores(big, {"psnr": build("psnr"), "niqe": build("niqe")}, Protocol())
    score_together([sheet], clip, lambda: None)
    assert sheet.reasons == {"psnr": "no ground truth"} and len(sheet.values["niqe"]) == 4
    assert described(build("psnr"), None, [0], sheet.reasons["psnr"]).reason == "no ground truth"


class Refusing:
    """A metric of frames that fails on its second one."""

    kind = Kind("refusing", "", "lower", 1)
    signature = "refusing|v1"

    def __init__(self, error):
        self.error, self.seen = error, 0

    def score(self, sr, gt):
        self.seen += 1
        if self.seen == 2:
            raise self.error
        return 1.0


class Returns(Refusing):
    """A metric that returns what it was given, as some people's code does."""

    def score(self, sr, gt):
        return self.error


class Changes:
    """A metric of frames in order: one value less than there are frames, by NumPy."""

    signature = "changes|v1"

    def __init__(self, window):
        self.kind = Kind("changes", "", "lower", 1, window=window)

    def begin(self):
        self.frames = 0
        return self

    def add(self, sr, gt):
        self.frames += 1

    def values(self):
        return np.ones(self.frames - 1, np.float32)


class NotANumber(Refusing):
    """A metric that gives NaN."""

    def score(self, sr, gt):
        return math.nan


def test_a_metric_that_refuses_a_frame_costs_that_metric_alone(clip_of, truth):
    clip, _ = clip_of()
    metrics = {
        "psnr": build("psnr"),
        "small": Refusing(ValueError("too small")),
        "broken": Refusing(RuntimeError("ffmpeg is gone")),
        "nan": NotANumber(None),
    }
    scores = PredictionScores(noisy(truth, 9), metrics, Protocol())
    score_together([scores], clip, lambda: None)
    assert scores.error is None and len(scores.values["psnr"]) == 4 and scores.values.keys() == {"psnr"}
    assert scores.reasons == {
        "small": "frame 1: too small",
        "broken": "frame 1: RuntimeError: ffmpeg is gone",
        "nan": "value 0 is not a number",
    }
    assert scores.passing == {"broken"}  # it is tried again the next time


def test_scores_become_plain_numbers_and_what_is_no_number_costs_its_metric_alone(clip_of, truth):
    metrics = {
        "psnr": build("psnr"),
        "numpy": Returns(np.float32(2)),
        "torch": Returns(torch.tensor(3.0)),
        "pair": Returns(np.zeros(2)),
        "nothing": Returns(None),
        "huge": Returns(1e200),
        "changes": Changes(2),
        "one short": Changes(1),
    }
    scores = PredictionScores(noisy(truth, 9), metrics, Protocol())
    score_together([scores], clip_of()[0], lambda: None)
    assert scores.error is None and scores.values.keys() == {"psnr", "numpy", "torch", "changes"}
    assert (scores.values["numpy"], scores.values["torch"]) == ([2.0] * 4, [3.0] * 4)
    assert {type(value) for values in scores.values.values() for value in values} == {float}
    assert scores.reasons == {
        "pair": "frame 0: TypeError: a score must be one number, not ndarray array([0., 0.])",
        "nothing": "frame 0: TypeError: a score must be one number, not NoneType None",
        "huge": "value 0 is 1e+200, which no record takes",
        "one short": "TypeError: 3 values of 4 frames do not fit window=1 of its kind; 4 are due "
        "(one number for a whole clip is returned 4 times)",
    }
    assert scores.passing == {"pair", "nothing", "one short"}  # a mended metric is tried again


def test_frames_equal_to_gt_are_counted_with_the_pooled_figure():
    score = described(build("psnr"), [math.inf, 30.0], [0, 1], None)
    assert score_note("psnr", score) == (
        "psnr: 1 of 2 frames are equal to GT, so its mean is infinite; 33.01 dB pooled over all frames"
    )
    assert score_note("psnr", described(build("psnr"), [30.0], [0], None)) == ""
    assert score_note("psnr", described(build("psnr"), None, [0], "too small")) == "psnr is absent: too small"


class Tf32:
    """Whether convolutions on a GPU may round, in the thread of the metrics without a network."""

    kind, signature, options_of_file = Kind("tf32", "", "lower", 1), "tf32|v1", {"_target_": "bench.of.a.test"}

    def score(self, sr, gt):
        with full_precision("cuda"):  # as a network of tLP does, meanwhile or before
            pass
        return float(torch.backends.cudnn.allow_tf32)


def test_on_a_gpu_all_metrics_are_computed_without_tf32_whatever_thread_they_run_in(clip_of, truth):
    """LPIPS in one thread and tLP in the other switched it on for each other, so that digits depended on chance."""
    config, clip = SimpleNamespace(device="cuda"), clip_of()[0]
    plan = SimpleNamespace(config=config, protocol=Protocol(), metrics={"tf32": Tf32()}, data="d", method="m")
    cell = Cell(plan, clip, Machine("", ""), upscaled=Upscaled(truth, "digest", descriptor=None))
    before = torch.backends.cudnn.allow_tf32
    score([cell], Inputs([], "", "digest"), Store(None), lambda *_: None, lambda: None)
    assert cell.scored.values["tf32"].values == [0.0] * len(truth)
    assert before and torch.backends.cudnn.allow_tf32
