"""What a record says of its clip, and the line that a person reads of a finished cell."""

import pytest

from bench.run.folder import RunFolder
from bench.run.recording import line_of
from bench.store.keys import frames_digest
from bench.store.records import load
from frames.degradations import Bicubic
from frames.errors import UserError
from frames.images import read_image
from tests.bench.made_up import make, with_score


def test_frames_speed_and_scores_in_one_line():
    record = make("fast", "a", [28.0, 30.0], [0.5, 0.25, 0.5])
    assert line_of(record) == "2 frames, 4.00 fps (tensors, median of 3), psnr 29.00, lpips-alex 0.2500"


def test_a_high_speed_is_printed_as_in_the_tables():
    assert "4000 fps" in line_of(make("fast", "a", [28.0, 30.0], [0.0005]))


def test_a_score_of_zero_has_no_sign():
    record = with_score(make("fast", "a", [28.0], [0.5]), "lpips-alex", values=[-1e-9])
    assert line_of(record).endswith("lpips-alex 0.0000")


@pytest.mark.parametrize("target", ["other.txt", "not there"])
def test_an_error_is_not_logged_through_a_link(tmp_path, target):
    folder = RunFolder(str(tmp_path / "run"))
    (tmp_path / "other.txt").write_text("of the user's\n")
    (tmp_path / "run" / "errors.log").symlink_to(tmp_path / target)
    with pytest.raises(UserError, match="nothing is written through it"):
        folder.log_error("set/a plain", ValueError("no frames"))
    assert (tmp_path / "other.txt").read_text() == "of the user's\n" and not (tmp_path / "not there").exists()


def test_a_record_has_the_digests_of_its_clip_s_frames(bench, clips, tmp_path):
    out = tmp_path / "run"
    words = ("run", "method=nearest", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=none", f"out={out}")
    assert bench(*words).code == 0
    for record in load(out).records:
        gt = [read_image(file) for file in sorted((clips / record.clip).iterdir())]
        assert record.gt_sha256 == frames_digest(gt)
        assert record.lr_sha256 == frames_digest(map(Bicubic(4), gt))
