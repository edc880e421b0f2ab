"""Scores of single frames that are known: of the same metric and the same frames, or not used."""

from types import SimpleNamespace

import numpy as np
import pytest

from bench.metrics import registry
from bench.metrics.base import Kind
from bench.metrics.of_gt import FrameOfGt
from bench.metrics.registry import build
from bench.run.frame_scores import FrameScores, _options_digest, recipe_of
from bench.store.keys import file_digest, source_digest


class Counts:
    """Scores frames, and counts them."""

    def __init__(self):
        self.count = 0

    def score(self, metric, sr, gt):
        self.count += 1
        return metric.score(sr, gt)


def test_a_score_is_computed_once_for_the_same_frames_and_the_same_metric(photo):
    sr, gt = photo[:40, :40], photo[1:41, :40]
    frames, first = Counts(), FrameScores()
    metrics = (build("psnr"), build("psnr-y"), build("ssim"))
    values = [first.over(frames).score(metric, sr, gt) for metric in metrics]
    assert frames.count == 3 and values == [metric.score(sr, gt) for metric in metrics]
    again = FrameScores(first.computed)
    assert [again.over(frames).score(metric, sr.copy(), gt.copy()) for metric in metrics] == values
    assert frames.count == 3 and again.computed == {}
    changed = np.array(sr)
    changed[0, 0, 0] ^= 1
    for pair in ((changed, gt), (sr, changed), (gt, sr)):
        assert again.over(frames).score(metrics[0], *pair) == metrics[0].score(*pair)
    assert frames.count == 6 and len(again.computed[metrics[0].signature]) == 3


def test_frames_without_gt_are_told_from_pairs(photo):
    class Alone:
        signature = "alone|v1"

        def score(self, sr, gt):
            return 0.0 if gt is None else 1.0

    known, frame = FrameScores(), photo[:20, :20]
    assert [known.over(Counts()).score(Alone(), frame, gt) for gt in (None, frame, None)] == [0.0, 1.0, 0.0]


def test_scores_of_a_metric_of_ones_own_also_depend_on_its_sources(tmp_path, monkeypatch):
    file = tmp_path / "metric_under_way.py"
    file.write_text("class Mine:\n    kind, signature = None, 'mine|v1'\n    begin = None\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    mine = __import__(file.stem).Mine()
    for metric in (mine, FrameOfGt.__new__(FrameOfGt)):
        metric.metric, metric.signature = mine, "mine|v1"
        before = recipe_of(metric)
        assert before.startswith("mine|v1|") and recipe_of(metric) == before
        file.write_text(file.read_text() + "# changed\n")
        source_digest.cache_clear()  # another run
        assert recipe_of(metric) != before
    assert recipe_of(build("psnr")) == build("psnr").signature


class Weighted:
    """A metric of one's own whose signature does not name its weights."""

    kind, signature = Kind("weighted", "", "lower", 1), "weighted|v1"

    def __init__(self, weights, device):
        self.weights = weights

    def score(self, sr, gt):
        return 0.0


def weighted(weights, device):
    """The same from a function, as a class of another package may come."""
    return SimpleNamespace(kind=Weighted.kind, signature=Weighted.signature, score=lambda sr, gt: 0.0)


@pytest.mark.parametrize("target", ["Weighted", "weighted"])
def test_scores_of_a_metric_of_ones_own_also_depend_on_its_options_and_weights(tmp_path, target):
    """After another training the scores of the former weights were taken from the store."""

    def recipe(device="cpu"):
        for cached in (registry.build, registry._file, _options_digest, file_digest):  # another run
            cached.cache_clear()
        return recipe_of(build("weighted", device=device, config_dirs=(str(tmp_path),)))

    weights, file = tmp_path / "weights.bin", tmp_path / "metric" / "weighted.yaml"
    weights.write_text("a")
    file.parent.mkdir()
    file.write_text(f"_target_: {__name__}.{target}\nweights: {weights}\ndevice: ${{device}}\n")
    before = recipe()
    assert source_digest(__name__.partition(".")[0]) in before
    assert recipe() == recipe(device="cuda") == before
    weights.write_text("b")
    assert recipe() != before
    weights.write_text("a")
    assert recipe() == before
    file.write_text(file.read_text().replace(str(weights), "none"))
    assert recipe() != before
