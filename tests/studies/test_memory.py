"""The runs that the study of memory makes."""

from argparse import Namespace
from pathlib import Path

import pytest

from frames.errors import UserError
from studies.memory import Case, peak, rows

NOTHING = Namespace(case=None, weights=None, precision=None, output=None)


def test_all_sizes_of_the_bar_are_measured_as_folders_and_as_videos():
    found = set(rows(NOTHING))
    for weights in ("nano", "nano-real"):
        for precision in ("auto", "float32"):
            for output in ("folder", "mp4"):
                sizes = {case[:2] for case, *rest in found if rest == [weights, precision, output]}
                assert sizes >= {(480, 270), (2000, 480), (1920, 1080)}
            assert (Case(1920, 1080, 14), weights, precision, "mkv-10") in found


def test_what_is_chosen_narrows_the_runs():
    case = Case(64, 48, 3)
    chosen = Namespace(case=[case], weights=["nano"], precision=["auto"], output=["mp4", "mkv"])
    assert list(rows(chosen)) == [(case, "nano", "auto", "mp4"), (case, "nano", "auto", "mkv")]


def test_a_command_that_fails_says_why_in_its_last_line(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    with pytest.raises(UserError, match="^turbovsr: nowhere: no such weights"):
        peak(Case(64, 64, 1), "nowhere", "auto", "folder")
