"""Metrics over neighbouring frames: TecoGAN's tOF and tLP, Lai's warping error, and how clips are told to metrics."""

import cv2
import numpy as np
import pytest

from bench.metrics import temporal
from bench.metrics.accumulators import accumulator, reason_absent
from bench.metrics.gt_features import GtFeatures
from bench.metrics.registry import build
from bench.metrics.temporal import occluded, tecogan_crop, warped


@pytest.fixture(scope="module")
def pan(tid) -> list[np.ndarray]:
    """Three frames of 160x224 of a photograph that moves 2 pixels to the left each time."""
    _, photo = tid["I08"]
    return [np.ascontiguousarray(photo[64:224, 100 + 2 * index : 324 + 2 * index]) for index in range(3)]


def values(name, sr, gt):
    count = build(name).begin()
    for pair in zip(sr, gt, strict=True):
        count.add(*pair)
    return count.values()


@pytest.mark.parametrize(("name", "most"), [("tof", 0), ("tlp", 0), ("warp-error", 0.5)])
def test_the_truth_itself_scores_best_with_one_value_a_pair(pan, name, most):
    assert values(name, pan, pan) == pytest.approx([0, 0], abs=most + 1e-9)


def test_tof_is_the_motion_that_a_still_clip_lacks(pan):
    assert values("tof", [pan[0]] * 3, pan) == pytest.approx([2, 2], abs=0.2)


def test_tof_is_the_difference_of_the_flows_from_each_frame_to_the_next(pan):
    sr, gt = [pan[0], pan[2]], pan[:2]
    greys = [[cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip] for clip in (sr, gt)]
    ours, truth = (cv2.calcOpticalFlowFarneback(*pair, None, 0.5, 3, 15, 3, 5, 1.2, 0) for pair in greys)
    expected = np.linalg.norm(tecogan_crop(ours) - tecogan_crop(truth), axis=2).mean()
    assert values("tof", sr, gt) == pytest.approx([expected])


def test_tlp_is_made_of_the_lpips_of_neighbours(pan):
    sr = [np.ascontiguousarray(frame[:, ::-1]) for frame in (pan[0], pan[2])]
    lpips = build("lpips-alex").score
    ours, truth = (lpips(*map(tecogan_crop, pair)) for pair in (sr, pan[:2]))
    assert values("tlp", sr, pan[:2]) == pytest.approx([100 * abs(ours - truth)], abs=1e-4)


def test_warp_error_of_flicker_over_a_still_scene_is_the_squared_step(pan):
    sr = [np.full_like(pan[0], level) for level in (100, 110, 95)]
    expected = [1000 * (step / 255) ** 2 for step in (10, 15)]
    assert values("warp-error", sr, [pan[0]] * 3) == pytest.approx(expected, rel=1e-4)


def test_warp_error_leaves_out_what_moves_out_of_the_frame(monkeypatch):
    """The frame moves 3 pixels to the right: its last columns are not in the next one."""
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 240, (64, 99, 3), dtype=np.uint8)
    before, now = (np.ascontiguousarray(wide[:, at : at + 96]) for at in (3, 0))
    first = cv2.cvtColor(before, cv2.COLOR_RGB2GRAY)

    def moved(one, other):
        return np.full((64, 96, 2), (3 if np.array_equal(one, first) else -3, 0), np.float32)

    monkeypatch.setattr(temporal.WarpError, "_flow", staticmethod(moved))
    assert values("warp-error", [before, now + np.uint8(10)], [before, now]) == pytest.approx([1000 * (10 / 255) ** 2])


def test_warping_follows_the_flow_and_knows_where_it_leaves_the_frame():
    frame = np.arange(48 * 64, dtype=np.float32).reshape(48, 64)
    moved, inside = warped(frame, np.full((48, 64, 2), (3, 0), np.float32))
    assert np.array_equal(moved[:, :-3], frame[:, 3:])
    assert inside[:, :-3].all() and not inside[:, -3:].any()


def test_what_does_not_come_back_is_occluded():
    forward, backward = np.zeros((2, 48, 64, 2), np.float32)
    backward[10:20, 10:20] = 5
    expected = np.zeros((48, 64), bool)
    expected[10:20, 10:20] = True
    assert np.array_equal(occluded(forward, backward), expected)


@pytest.mark.parametrize(
    ("size", "cropped"),
    [((576, 704), (544, 672)), ((480, 720), (448, 704)), ((48, 63), (32, 32)), ((72, 111), (32, 64))],
)
def test_the_crop_is_tecogans(size, cropped):
    assert tecogan_crop(np.zeros((*size, 3), np.uint8)).shape[:2] == cropped


@pytest.mark.parametrize("name", ["tof", "tlp", "warp-error"])
def test_tiny_frames_are_refused(name):
    with pytest.raises(ValueError, match="frame of 40x64 is too small"):
        values(name, *np.zeros((2, 2, 64, 40, 3), np.uint8))


def test_clips_that_a_metric_cannot_judge_are_named_with_the_reason():
    assert reason_absent(build("tof"), range(1), True) == "tOF needs 2 frames"
    assert "needs consecutive frames" in reason_absent(build("tof"), (0, 2), True)
    assert reason_absent(build("psnr"), range(3), False) == "no ground truth"
    assert reason_absent(build("niqe"), range(3), False) is None
    assert reason_absent(build("tof"), range(2, 4), True) is None


def test_metrics_of_frames_and_of_clips_are_told_a_clip_alike(pan):
    accumulators = {name: accumulator(build(name), GtFeatures()) for name in ("psnr-y", "tof")}
    for sr, gt in zip(pan[::-1], pan):
        for each in accumulators.values():
            each.add(sr, gt)
    assert accumulators["psnr-y"].values() == [build("psnr-y").score(*pair) for pair in zip(pan[::-1], pan)]
    assert len(accumulators["tof"].values()) == 2


def test_the_warping_error_along_srs_own_flow_needs_no_gt(pan):
    alone = build("warp-error-sr").begin()
    for frame in pan:
        alone.add(frame, None)
    assert alone.values() == pytest.approx(values("warp-error", pan, pan))
    assert reason_absent(build("warp-error-sr"), range(2), False) is None
    assert " on SR|" in build("warp-error-sr").signature


def test_gts_own_warping_error_does_not_depend_on_sr(pan):
    blurred = [np.full_like(frame, 128) for frame in pan]
    own = values("warp-error-gt", blurred, pan)
    assert own == pytest.approx(values("warp-error", pan, pan)) and min(own) > max(values("warp-error", blurred, pan))
    assert build("warp-error-gt").signature != build("warp-error").signature


def test_gts_flow_is_computed_once_for_all_metrics_and_methods(pan, monkeypatch):
    names = ("tof", "warp-error", "flicker-moving")
    methods = [[np.roll(frame, shift, axis=0) for frame in pan] for shift in (1, 2, 3)]
    alone = [[values(name, sr, pan) for name in names] for sr in methods]
    computed = []
    flow = temporal.flow
    monkeypatch.setattr(temporal, "flow", lambda *pair: computed.append(pair) or flow(*pair))
    temporal._kept_flow.cache_clear()
    together = [[build(name).begin() for name in names] for _ in methods]
    for index, gt in enumerate(pan):
        for sr, accumulators in zip(methods, together):
            for each in accumulators:
                each.add(sr[index], gt)
    assert [[each.values() for each in accumulators] for accumulators in together] == alone
    of_gt, of_sr = 2 * (len(pan) - 1), len(methods) * (len(pan) - 1)  # forward and backward; forward for tOF
    assert len(computed) == of_gt + of_sr
