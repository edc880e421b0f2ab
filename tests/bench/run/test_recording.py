"""The line that a person reads of a finished cell."""

from bench.run.recording import line_of
from tests.bench.made_up import make, with_score


def test_frames_speed_and_scores_in_one_line():
    record = make("fast", "a", [28.0, 30.0], [0.5, 0.25, 0.5])
    assert line_of(record) == "2 frames, 4 fps (tensors, median of 3), psnr 29.00, lpips-alex 0.2500"


def test_a_score_of_zero_has_no_sign():
    record = with_score(make("fast", "a", [28.0], [0.5]), "lpips-alex", values=[-1e-9])
    assert line_of(record).endswith("lpips-alex 0.0000")
