"""The search alone, on outcomes by formula."""

import pytest

from bench.envelope.search import TOLERANCE, Ladder, Rules, TrialSummary, search
from bench.store.trials import FAILED, FITS, MEMORY, SLOW, ClipSize


def explored(ladder, outcome, light=lambda extent: False):
    """(the axis, how many clips were tried) when `outcome(extent)` says what becomes of each."""
    known = {}
    while True:
        axis, point = search(ladder, known)
        if point is None:
            return axis, len(known)
        assert point not in known
        known[point] = TrialSummary(outcome(ladder.extent(point)), "why", light(ladder.extent(point)))


@pytest.mark.parametrize("border", [5_000, 123_456, 8_294_400])
def test_the_border_of_frames_is_found_within_the_tolerance(border):
    ladder = Ladder("frame", Rules(), (1, 0))
    axis, count = explored(ladder, lambda pixels: FITS if pixels <= border else MEMORY)
    assert axis.is_complete and axis.outcome == MEMORY and axis.reason == "why"
    assert axis.largest.pixels <= border < axis.beyond.pixels
    neighbours = axis.beyond.height - axis.largest.height == 4  # no size lies between
    assert axis.beyond.pixels <= (1 + TOLERANCE) * axis.largest.pixels or neighbours
    assert count < 20 and axis.points == sorted(axis.points, key=ladder.extent)


@pytest.mark.parametrize("border", [1, 2, 3, 7, 1000])
def test_the_border_of_clips_is_exact_where_they_are_short(border):
    axis, _ = explored(Ladder("clip", Rules(), (320, 180)), lambda frames: FITS if frames <= border else MEMORY)
    assert axis.largest == ClipSize(320, 180, axis.largest.frames) and axis.largest.frames <= border
    assert axis.beyond.frames <= max(axis.largest.frames + 1, (1 + TOLERANCE) * axis.largest.frames)


def test_light_trials_take_longer_strides_and_end_at_the_same_border():
    ladder = Ladder("clip", Rules(), (320, 180))
    fits = lambda frames: FITS if frames <= 5000 else MEMORY  # noqa: E731
    plain, count = explored(ladder, fits)
    quick, fewer = explored(ladder, fits, light=lambda frames: frames < 300)
    assert fewer < count and quick.largest == plain.largest


def test_what_is_stopped_by_the_clock_ends_the_search_and_leaves_the_border_open():
    axis, count = explored(Ladder("clip", Rules(), (320, 180)), lambda frames: FITS if frames <= 8 else SLOW)
    assert (axis.largest.frames, axis.beyond.frames, axis.outcome, count) == (8, 16, SLOW, 5)


def test_an_error_is_a_border_too():
    axis, _ = explored(Ladder("clip", Rules(), (320, 180)), lambda frames: FITS if frames <= 6 else FAILED)
    assert (axis.largest.frames, axis.beyond.frames, axis.outcome) == (6, 7, FAILED)


def test_where_the_smallest_does_not_fit_nothing_else_is_tried():
    axis, count = explored(Ladder("frame", Rules(), (1, 0)), lambda pixels: MEMORY)
    assert (axis.largest, axis.beyond, count) == (None, ClipSize(64, 36, 1), 1)


def test_an_unfinished_search_says_so():
    axis, point = search(Ladder("clip", Rules(), (8, 8)), {ClipSize(8, 8, 1): TrialSummary(FITS)})
    assert not axis.is_complete and axis.largest == ClipSize(8, 8, 1) and point == ClipSize(8, 8, 2)


@pytest.mark.parametrize("rules", [Rules(), Rules(side=48, side_step=32), Rules(side_step=64), Rules(side=100)])
def test_sizes_keep_the_rules_of_the_method(rules):
    for pixels in (1, 2304, 57_600, 2_073_600):
        for side in rules.size(pixels):
            assert side % rules.side_step == 0 and side >= rules.side


@pytest.mark.parametrize(
    "rules, frames, length",
    [
        (Rules(), 5, 5),
        (Rules(frames_step=8, frames_plus=1), 1, 1),
        (Rules(frames_step=8, frames_plus=1), 20, 17),
        (Rules(frames=9, frames_step=8, frames_plus=1), 2, 9),
        (Rules(frames=3), 1, 3),
        (Rules(frames_step=2), 1, 2),
        (Rules(frames=2, frames_step=2), 1, 2),
    ],
)
def test_lengths_keep_the_rules_of_the_method(rules, frames, length):
    assert rules.length(frames) == length


def test_frames_grow_at_the_shortest_length_that_the_method_takes():
    assert Ladder("frame", Rules(frames=9, frames_step=8, frames_plus=1), (1, 0)).first.frames == 9
