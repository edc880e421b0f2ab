"""Times of pictures whose stamps do not go on."""

from fractions import Fraction

import pytest

from frames.video.clock import Clock


@pytest.mark.parametrize(
    "stamps, times",
    [
        ([5, 6, 9], [5, 6, 9]),
        ([None, None, 4], [0, 1, 4]),
        ([0, 2, 2, 6], [0, 2, 4, 6]),  # a picture as late as the last one
        ([0, 2, 4, 0, 2, 3, 0], [0, 2, 4, 6, 8, 9, 10]),  # recordings one behind the other
        ([0, 2, 4, 0, 2, 20, 21], [0, 2, 4, 6, 8, 20, 21]),
    ],
)
def test_stamps_become_times_that_increase(stamps, times):
    clock = Clock(Fraction(1))
    assert [clock.time(None if stamp is None else Fraction(stamp)) for stamp in stamps] == times
