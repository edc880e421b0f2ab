"""Frames of a data set of one's own: other types, sizes and numbers than it says are refused, not converted."""

import numpy as np
import pytest

from bench.datasets.clip import Clip

GOOD = [np.full((8, 12, 3), level, np.uint8) for level in (10, 20, 30)]
WRONG = {
    "floats": ([frame / np.float32(255) for frame in GOOD], "frame 0 is float32 (8, 12, 3), not uint8 (8, 12, 3)"),
    "grey": ([frame[..., 0] for frame in GOOD], "frame 0 is uint8 (8, 12), not"),
    "alpha": ([GOOD[0], np.dstack([GOOD[1], GOOD[1][..., 0]]), GOOD[2]], "frame 1 is uint8 (8, 12, 4), not"),
    "size": ([frame[:4] for frame in GOOD], "frame 0 is uint8 (4, 12, 3), not"),
    "too few": (GOOD[:2], "the data set says 3 frames, but gives 2"),
    "too many": ([*GOOD, GOOD[0]], "the data set says 3 frames, but gives 4"),
}


class Source(list):
    """Frames in memory, which say of themselves what GOOD are."""

    where, frames, size = "my set", 3, (8, 12)


def clip(lr, gt) -> Clip:
    return Clip("c", 3, 25.0, 1, (8, 12), (8, 12), "given", Source(lr), Source(gt))


@pytest.mark.parametrize("frames, said", WRONG.values(), ids=WRONG)
def test_frames_that_are_not_as_the_clip_says_are_refused(frames, said):
    """Floats in [0, 1] became black LR frames, and SR was scored against GT of floats."""
    for read in (clip(frames, GOOD).lr, clip(GOOD, frames).gt):
        with pytest.raises(ValueError, match="^my set: ") as error:
            list(read())
        assert said in str(error.value)


def test_frames_as_the_clip_says_are_given_on():
    one = clip(GOOD, GOOD)
    assert [len(list(read())) for read in (one.lr, one.gt, lambda: one.gt(range(1, 3)))] == [3, 3, 2]
