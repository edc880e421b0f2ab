"""What a record says of its clip, and the line that a person reads of a finished cell."""

import hashlib

import pytest

from bench.run.folder import RunFolder
from bench.run.recording import line_of
from bench.store.keys import frames_digest, source_digest
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


@pytest.mark.parametrize("name", ["frames", "video", "records", "workers", "work"])
def test_a_run_whose_own_folder_is_a_link_is_refused(tmp_path, name):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(tmp_path)
    with pytest.raises(UserError, match=f"{name}: a link to {tmp_path}, and nothing is written through it"):
        RunFolder(str(tmp_path / "run"))


def test_no_frames_are_saved_through_a_link(bench, clips, tmp_path):
    """A run folder from elsewhere may lead to the user's own frames, which have the same names."""
    out, own = tmp_path / "run", tmp_path / "own"
    own.mkdir()
    (own / "00000000.png").write_text("of the user's")
    (out / "frames" / "nearest" / "folder").mkdir(parents=True)
    name = sorted(clips.iterdir())[0].name
    (out / "frames" / "nearest" / "folder" / name).symlink_to(own)
    words = ("run", "method=nearest", "data=folder", f"data.gt={clips}", f"data.clips=[{name}]", "metrics=[psnr]")
    answer = bench(*words, "timing=none", "save=frames", f"out={out}")
    assert answer.code != 0 and "nothing is written through it" in answer.out + answer.err
    assert [file.read_text() for file in own.iterdir()] == ["of the user's"]


def test_a_record_has_the_digests_of_its_clip_s_frames(bench, clips, tmp_path):
    out = tmp_path / "run"
    words = ("run", "method=nearest", "data=folder", f"data.gt={clips}", "metrics=[psnr]", "timing=none", f"out={out}")
    assert bench(*words).code == 0
    for record in load(out).records:
        gt = [read_image(file) for file in sorted((clips / record.clip).iterdir())]
        assert record.gt_sha256 == frames_digest(gt)
        assert record.lr_sha256 == frames_digest(map(Bicubic(4), gt))


WEIGHTED = """
from baselines.interpolation import Interpolation

class Weighted(Interpolation):
    def __init__(self, scale, weights):
        super().__init__("nearest", scale, "cpu")
"""


def test_a_record_has_the_digest_of_the_files_that_options_name(bench, clips, tmp_path, monkeypatch):
    (tmp_path / "mine" / "method").mkdir(parents=True)
    (tmp_path / "weighted_of_mine.py").write_text(WEIGHTED)
    monkeypatch.syspath_prepend(str(tmp_path))
    weights = tmp_path / "net.pth"
    weights.write_bytes(b"one")
    options = f"_target_: weighted_of_mine.Weighted\nname: mine\nscale: ${{scale}}\nweights: {weights}\n"
    (tmp_path / "mine" / "method" / "mine.yaml").write_text(options)
    words = ("run", "--config-dir", tmp_path / "mine", "method=mine", "data=folder", f"data.gt={clips}")
    answer = bench(*words, "metrics=[psnr]", "timing=none", "store=null", f"out={tmp_path / 'run'}")
    assert answer.code == 0, answer.err
    expected = {"weights": hashlib.sha256(b"one").hexdigest()}
    found = [record.method_files for record in load(tmp_path / "run").records]
    expected["_target_"] = source_digest("weighted_of_mine.Weighted")
    assert found == [expected] * len(list(clips.iterdir()))
