"""Flicker: still clips with known flicker, pans, and a reference written pixel by pixel."""

import cv2
import numpy as np
import pytest

from bench.metrics import flicker
from bench.metrics.accumulators import reason_absent
from bench.metrics.flicker import Flicker

ROUNDING = 1 / 3


@pytest.fixture
def still(photo) -> list[np.ndarray]:
    """Four equal frames, uint8 (96, 128, 3)."""
    return [np.ascontiguousarray(photo[150:246, 150:278])] * 4


@pytest.fixture
def pan(photo) -> list[np.ndarray]:
    """Four frames of a photograph that moves two pixels a frame."""
    return [np.ascontiguousarray(photo[150:246, 150 + 2 * i : 278 + 2 * i]) for i in range(4)]


def values(metric, sr, gt):
    accumulator = metric.begin()
    for pair in zip(sr, gt, strict=True):
        accumulator.add(*pair)
    return accumulator.values()


def brightened(frames, steps):
    return [np.clip(frame.astype(int) + step, 0, 255).astype(np.uint8) for frame, step in zip(frames, steps)]


def test_a_still_clip_that_stays_still_is_as_calm_as_gt(still):
    assert values(Flicker(), still, still) == [1.0, 1.0, 1.0]
    grey = [np.full((96, 128, 3), 90, np.uint8)] * 4
    assert values(Flicker(), still, grey) == values(Flicker(), grey, grey) == [1.0, 1.0, 1.0]


def test_known_flicker_over_a_still_clip_is_its_step_over_that_of_rounding(still):
    grey = [np.full_like(still[0], 128)] * 4
    found = values(Flicker(), brightened(grey, (0, 6, -3, -3)), still)
    assert found == pytest.approx([(6 + ROUNDING) / ROUNDING, (9 + ROUNDING) / ROUNDING, 1.0], rel=1e-4)


def test_flicker_is_relative_to_that_of_gt(still):
    grey = [np.full_like(still[0], 128)] * 4
    gt, sr = brightened(grey, (0, 2, 0, 2)), brightened(grey, (0, 8, 0, 8))
    assert values(Flicker(), sr, gt) == pytest.approx([(8 + ROUNDING) / (2 + ROUNDING)] * 3, rel=1e-4)
    assert values(Flicker(), gt, gt) == [1.0] * 3


def test_the_score_of_still_areas_is_that_of_a_reference_written_pixel_by_pixel(still):
    rng = np.random.default_rng(0)
    gt = [np.clip(f + rng.normal(0, 1, f.shape), 0, 255).astype(np.uint8) for f in still[:2]]
    sr = [np.clip(f + rng.normal(0, 5, f.shape), 0, 255).astype(np.uint8) for f in still[:2]]
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in gt]
    flow = cv2.calcOpticalFlowFarneback(*greys, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    height, width = greys[0].shape
    moves = {(y, x) for y in range(height) for x in range(width) if np.hypot(*flow[y, x]) > 0.1}
    ours, theirs = [], []
    for y in range(height):
        for x in range(width):
            if not any((y + v, x + u) in moves for v in range(-9, 10) for u in range(-9, 10)):
                red, green, blue = (0.299, 0.587, 0.114)
                lumas = [red * f[y, x, 0] + green * f[y, x, 1] + blue * f[y, x, 2] for f in (*sr, *gt)]
                ours.append(abs(lumas[1] - lumas[0]))
                theirs.append(abs(lumas[3] - lumas[2]))
    assert 100 < len(ours)
    expected = (np.mean(ours) + ROUNDING) / (np.mean(theirs) + ROUNDING)
    assert values(Flicker(), sr, gt) == pytest.approx([expected], rel=1e-4)


def test_moving_content_is_followed_along_gts_flow(pan):
    moving = Flicker(moving=True)
    assert values(moving, pan, pan) == [1.0, 1.0, 1.0]
    blurred = [cv2.GaussianBlur(frame, (0, 0), 3) for frame in pan]
    assert max(values(moving, blurred, pan)) < 1 < min(values(moving, brightened(pan, (0, 20, 0, 20)), pan))


def test_the_score_of_moving_content_is_that_of_a_reference_written_pixel_by_pixel(pan):
    rng = np.random.default_rng(0)
    gt = [frame[:56, :64] for frame in pan[:2]]
    sr = [np.clip(f + rng.normal(0, 5, f.shape), 0, 255).astype(np.uint8) for f in gt]
    greys = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in gt]
    there, back = (cv2.calcOpticalFlowFarneback(*pair, None, 0.5, 3, 15, 3, 5, 1.2, 0) for pair in (greys, greys[::-1]))
    lumas = [frame @ np.array([0.299, 0.587, 0.114]) for frame in (*sr, *gt)]

    def read(values, x, y):
        """Between four pixels, by their areas."""
        left, top = min(int(x), 62), min(int(y), 54)
        a, b = x - left, y - top
        return sum(
            weight * values[top + down, left + right]
            for down, right, weight in (
                (0, 0, (1 - a) * (1 - b)),
                (0, 1, a * (1 - b)),
                (1, 0, (1 - a) * b),
                (1, 1, a * b),
            )
        )

    ours, theirs = [], []
    for y in range(56):
        for x in range(64):
            u, v = map(float, there[y, x])
            if np.hypot(u, v) <= 0.1 or not (0 <= x + u <= 63 and 0 <= y + v <= 55):
                continue
            p, q = map(float, read(back, x + u, y + v))
            down, right = (there[min(y + 1, 55), x] - there[y, x], there[y, min(x + 1, 63)] - there[y, x])
            unseen = (u + p) ** 2 + (v + q) ** 2 > 0.01 * (u * u + v * v + p * p + q * q) + 0.5
            edge = sum(down**2) + sum(right**2) > 0.01 * (u * u + v * v) + 0.002
            if not unseen and not edge:
                ours.append(abs(read(lumas[1], x + u, y + v) - lumas[0][y, x]))
                theirs.append(abs(read(lumas[3], x + u, y + v) - lumas[2][y, x]))
    assert 300 < len(ours)
    expected = (np.mean(ours) + ROUNDING) / (np.mean(theirs) + ROUNDING)
    assert values(Flicker(moving=True), sr, gt) == pytest.approx([expected], rel=0.02)  # OpenCV rounds the weights


def test_flicker_over_moving_content_grows_with_its_step(pan):
    dark = [frame // 2 for frame in pan]  # room for the steps
    weak, strong = (values(Flicker(moving=True), brightened(dark, (0, d, 0, d)), dark) for d in (40, 80))
    assert np.array(strong) / weak == pytest.approx([(80 + ROUNDING) / (40 + ROUNDING)] * 3, rel=0.05)


@pytest.mark.parametrize("moving", [False, True])
def test_a_still_fault_is_no_flicker(still, pan, moving):
    clip = pan if moving else still
    brighter = [np.clip(frame.astype(int) + 8, 0, 255).astype(np.uint8) for frame in clip]
    assert values(Flicker(moving), brighter, clip) == pytest.approx([1.0] * 3, abs=0.02)


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("shape", [(48, 48), (49, 131)])
def test_black_and_white_clips_have_finite_scores(level, shape):
    flat = [np.full((*shape, 3), level, np.uint8)] * 3
    noisy = [np.random.default_rng(i).integers(0, 256, (*shape, 3), np.uint8) for i in range(3)]
    assert values(Flicker(), flat, flat) == [1.0, 1.0]
    assert np.isfinite(values(Flicker(), noisy, flat)).all()
    for metric in (Flicker(), Flicker(moving=True)):
        try:
            assert np.isfinite(values(metric, flat, noisy)).all()
        except ValueError as reason:
            assert "GT has hardly any" in str(reason)


def test_small_frames_a_change_of_size_and_one_frame_have_reasons():
    for sr, gt in (((40, 64), (40, 64)), ((64, 64), (64, 60))):
        with pytest.raises(ValueError, match="too small|SR frame is"):
            values(Flicker(), [np.zeros((*sr, 3), np.uint8)], [np.zeros((*gt, 3), np.uint8)])
    assert reason_absent(Flicker(), [0], has_gt=True) == "flicker (GT: 1) needs 2 frames"
    assert reason_absent(Flicker(), [0, 2], has_gt=True).endswith("the protocol leaves some out")


def test_a_clip_without_the_area_is_refused_and_a_pair_without_it_has_the_clips_value():
    grey = [np.full((96, 128, 3), 90, np.uint8)] * 2
    noise = np.random.default_rng(0).integers(0, 256, (96, 160), np.uint8)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)[..., None].repeat(3, 2)
    moved = [np.ascontiguousarray(texture[:, 4 * i : 128 + 4 * i]) for i in range(3)]
    with pytest.raises(ValueError, match="GT has hardly any still area"):
        values(Flicker(), moved, moved)
    with pytest.raises(ValueError, match="GT has hardly any moving area"):
        values(Flicker(moving=True), grey, grey)
    gt = [moved[0], moved[0], moved[1]]
    found = values(Flicker(), brightened(gt, (0, 4, 0)), gt)
    assert len(found) == 2 and found[0] == found[1] > 5


def test_a_few_still_pixels_of_a_whole_clip_are_no_flicker(monkeypatch):
    def few(before, now, moving):
        chosen = np.zeros(before[2].shape, bool)
        chosen[0, :7] = True
        return np.ones_like(before[0]), np.ones_like(before[0]), chosen

    monkeypatch.setattr(flicker, "changes", few)
    frames = [np.full((48, 128, 3), 90, np.uint8)] * 11
    assert values(Flicker(), frames, frames) == [1.0] * 10, "70 pixels of 6144 are a hundredth"
    with pytest.raises(ValueError, match="hardly any still area"):
        values(Flicker(), frames[:9], frames[:9])


def test_recipes_differ_and_say_what_they_look_at():
    still, moving = Flicker(), Flicker(moving=True)
    assert still.kind.window == 2 and "still" in still.signature and "along GT's flow" in moving.signature
