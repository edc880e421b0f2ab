"""Intervals of means, of slopes and of methods on the same clips."""

import numpy as np
import pytest
from scipy.stats import linregress, t

from bench.report import intervals
from bench.timing import stats


def test_the_interval_of_a_mean_is_students():
    values = [20.0, 23.0, 26.0, 29.5, 21.0]
    theirs = t.interval(0.95, 4, np.mean(values), np.std(values, ddof=1) / 5**0.5)
    assert intervals.of_mean(values) == pytest.approx(theirs)
    assert intervals.of_mean([0.1] * 3) == (0.1, 0.1)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 30, 999])
def test_the_factor_of_few_values_is_scipys(freedom):
    assert stats.student(freedom) == pytest.approx(t.ppf(0.975, freedom), rel=1e-12)


@pytest.mark.parametrize("clips", [2, 4, 7])
def test_an_interval_of_few_clips_holds_the_true_mean_in_95_of_100_cases(clips):
    """Resampled means held it in 50 of 100 with two clips, in 80 with the four of Vid4 or REDS4."""
    drawn = np.random.default_rng(0).normal(size=(1000, clips)).tolist()
    assert 0.93 < np.mean([low <= 0 <= high for low, high in map(intervals.of_mean, drawn)]) < 0.97


def test_the_interval_of_a_slope_is_that_of_scipys_regression():
    x, y = [0, 1, 2, 3, 4], [0, 2.1, 3.9, 6.1, 8]
    theirs = linregress(x, y)
    half = t.ppf(0.975, 3) * theirs.stderr
    slope, bounds = intervals.of_slope(x, y)
    assert (slope, *bounds) == pytest.approx((theirs.slope, theirs.slope - half, theirs.slope + half))


def test_a_power_law_is_found_with_its_interval():
    slope, (low, high) = intervals.of_slope([0, 1, 2, 3, 4], [0, 2.1, 3.9, 6.1, 8])
    assert slope == pytest.approx(2, abs=0.05) and low <= slope <= high and high - low < 0.3
    assert intervals.of_slope([1, 1, 2], [1, 2, 3]) is None


def test_bars_take_each_clips_difficulty_off():
    easy_and_hard = {"one": {"a": 10.0, "b": 30.0}, "other": {"a": 11.0, "b": 31.0}}
    for method, (low, high) in intervals.within_clips(easy_and_hard).items():
        assert high - low < 1e-9, method


def test_the_bars_of_two_methods_are_as_long_as_that_of_their_difference_over_the_root_of_two():
    """By Cousineau's normalisation with Morey's factor."""
    one, other = {"a": 20.0, "b": 31.0, "c": 42.0}, {"a": 21.0, "b": 30.0, "c": 45.0}
    low, high = intervals.within_clips({"one": one, "other": other})["one"]
    between = intervals.of_difference(one, other)
    assert (low - 31.0, high - 31.0) == pytest.approx(((between[0] + 1) / 2**0.5, (between[1] + 1) / 2**0.5))


def test_a_bar_lies_around_its_methods_own_mean_where_others_lack_clips():
    scores = {m: {"a": 20.0 + n, "b": 22.0 - n, "c": 40.0, "d": 42.0} for n, m in enumerate(("one", "other"))}
    bars = intervals.within_clips(scores | {"lacking": {"a": 21.0, "b": 22.5}})
    for method, mean in (("one", 31.0), ("other", 31.0), ("lacking", 21.75)):
        low, high = bars[method]
        assert low < mean < high, method
    assert bars["one"] == intervals.within_clips(scores)["one"]
