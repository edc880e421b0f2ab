"""Features of the ground truth are computed once, in bounded memory, and change no score."""

import numpy as np
import pytest

from bench.metrics import features
from bench.metrics.gt_features import GtFeatures
from bench.metrics.registry import build

NETWORKS = ("lpips-alex", "lpips-vgg", "dists")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_prepared_truth_gives_the_same_score(small_tid, name):
    metric, (sr, gt) = build(name), small_tid["I04"]
    assert metric.compare(sr, metric.prepare(gt)) == pytest.approx(metric.score(sr, gt), abs=1e-9)


def test_bands_of_rows_give_the_score_of_the_whole_frame(small_tid, monkeypatch):
    sr, gt = small_tid["I03"]
    whole = {name: build(name).score(sr, gt) for name in ("lpips-vgg", "dists")}
    monkeypatch.setattr(features, "_BAND_BYTES", 1)
    monkeypatch.setitem(features._CHUNK_BYTES, "cpu", 1 << 14)
    for name, expected in whole.items():
        assert build(name).score(sr, gt) == pytest.approx(expected, abs=1e-6)


def test_three_methods_share_one_pass_over_the_truth(small_tid):
    metric, features, (sr, gt) = build("lpips-alex"), GtFeatures(), small_tid["I04"]
    methods = [sr, gt, np.ascontiguousarray(sr[::-1])]
    assert [features.score(metric, each, gt.copy()) for each in methods] == pytest.approx(
        [metric.score(each, gt) for each in methods], abs=1e-9
    )
    assert features.prepared == 1


def test_memory_stays_within_the_budget_and_the_oldest_frames_stay(small_tid):
    metric, frames = build("lpips-alex"), [gt for _, gt in small_tid.values()][:3]
    features = GtFeatures(budget=2 * metric.prepared_bytes(frames[0]))
    for _ in range(2):  # two methods, each over the whole clip
        for gt in frames:
            assert features.score(metric, gt, gt) == pytest.approx(0, abs=1e-6)
            assert features.bytes <= features.budget
    assert features.prepared == 5  # the first frame is met again; forgetting the oldest would make it 6
    features.clear()
    assert features.bytes == 0


def test_the_estimate_of_memory_is_right(small_tid):
    _, gt = small_tid["I04"]
    for name in NETWORKS:
        truth = build(name).prepare(gt)
        tables = truth.tables[1:] if name == "dists" else [table for _, table in truth]
        assert sum(table.nbytes for table in tables) == pytest.approx(build(name).prepared_bytes(gt), rel=0.2)


def test_a_frame_too_large_for_the_budget_is_scored_without_keeping_anything(small_tid):
    metric, features, (sr, gt) = build("lpips-alex"), GtFeatures(budget=1000), small_tid["I04"]
    assert features.score(metric, sr, gt) == metric.score(sr, gt)
    assert (features.prepared, features.bytes) == (0, 0)


def test_metrics_without_features_pass_through_and_unlike_sizes_are_refused(small_tid):
    features, (sr, gt) = GtFeatures(), small_tid["I04"]
    assert features.score(build("psnr"), sr, gt) == build("psnr").score(sr, gt)
    with pytest.raises(ValueError, match="SR frame is 156x131, GT frame is 157x131"):
        features.score(build("lpips-alex"), sr[:, :-1], gt)
