"""Frames are paired by their names: numbers that go on alike, names that stand at the same place."""

from pathlib import Path

import pytest

from bench.datasets.pairing import check_names
from bench.datasets.verify import numbering_problems


def paths(*stems):
    return [Path(f"{stem}.png") for stem in stems]


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (("0", "1", "2"), ("0", "1", "2")),
        (("im1", "im2", "im3"), ("00000000", "00000001", "00000002")),  # begin elsewhere
        (("0001_x4", "0002_x4"), ("0001", "0002")),  # a scale behind the number
        (("clip7_0001", "clip7_0002"), ("0003", "0004")),
        (("a", "b"), ("a", "b")),
        (("a", "b"), ("c", "d")),  # nothing in common: in order
        (("17",), ("3",)),  # a still
    ],
)
def test_names_that_fit(ours, theirs):
    check_names(paths(*ours), paths(*theirs), "SR and GT")


@pytest.mark.parametrize(
    "ours, theirs, named",
    [
        (("0", "1", "3"), ("0", "1", "2"), "3.png would be paired with 2.png"),
        (("0001_x4", "0003_x4"), ("0001", "0002"), "0003_x4.png would be paired with 0002.png"),
        (("b", "c"), ("a", "b"), "b.png would be paired with a.png"),
    ],
)
def test_names_that_drift_apart(ours, theirs, named):
    with pytest.raises(ValueError, match="SR and GT frames do not belong together") as caught:
        check_names(paths(*ours), paths(*theirs), "SR and GT")
    assert named in str(caught.value)


def test_a_scale_behind_the_number_is_not_the_number_of_a_missing_or_second_frame(tmp_path):
    for number in (1, 2, 4):
        (tmp_path / f"{number:04d}x4.png").touch()
    assert list(numbering_problems(tmp_path)) == [f"{tmp_path}: frame 3 is missing"]
    assert list(numbering_problems(tmp_path, 4)) == [f"{tmp_path}: frame 3 is missing"]
