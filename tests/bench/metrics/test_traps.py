"""Traps: what cutting, a yuv444p video and 8k+1 frames do to frames."""

import av
import numpy as np
import pytest

from bench.metrics.traps import TRAPS, cut_to_8k_plus_1, through_yuv, truncated


def test_truncation_lowers_half_of_the_samples_by_a_level_and_is_seeded(photo):
    pairs = [(photo[:64, :64], photo[:64, :64])]
    ((sr, gt),) = truncated(pairs)
    drop = photo[:64, :64].astype(int) - sr
    assert set(np.unique(drop)) == {0, 1} and 0.45 < drop.mean() < 0.55 and gt is pairs[0][1]
    assert np.array_equal(next(truncated(pairs))[0], sr)


def test_yuv444p_is_within_a_level_of_what_ffmpeg_gives(photo):
    frame = np.ascontiguousarray(photo[100:164, 100:196])
    ((ours, _),) = through_yuv([(frame, frame)])
    theirs = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv444p").to_ndarray(format="rgb24")
    assert np.abs(ours.astype(int) - frame).max() <= 3
    assert np.abs(ours.astype(int) - frame).mean() == pytest.approx(np.abs(theirs.astype(int) - frame).mean(), abs=0.3)


@pytest.mark.parametrize(("frames", "left"), [(1, 1), (8, 1), (9, 9), (32, 25), (33, 33)])
def test_8k_plus_1_frames_are_left(frames, left):
    pairs = [(np.full((2, 2, 3), index, np.uint8), None) for index in range(frames)]
    assert [pair[0][0, 0, 0] for pair in cut_to_8k_plus_1(pairs)] == list(range(left))


def test_every_trap_says_what_it_is(photo):
    pairs = [(photo[:16, :16], photo[:16, :16])] * 2
    for trap in TRAPS:
        assert trap.about and all(sr.dtype == np.uint8 and sr.shape == (16, 16, 3) for sr, _ in trap.apply(pairs))
