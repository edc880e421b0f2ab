"""Scores with luma or chroma of GT: each exchange changes what it says and nothing else."""

import cv2
import numpy as np
import pytest

from studies.colours import main, variants


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return [cv2.GaussianBlur(rng.integers(0, 256, (64, 96, 3), dtype=np.uint8), None, 2) for _ in range(3)]


def planes(frame):
    return np.moveaxis(cv2.cvtColor(frame.astype(np.float32), cv2.COLOR_RGB2YCrCb), -1, 0)


def test_what_is_exchanged_is_the_others_and_the_rest_stays(frames):
    sr, bicubic, gt = frames
    found = {name: planes(frame) for name, frame in variants(sr, bicubic, gt).items()}
    own = {"SR": sr, "bicubic": bicubic, "GT": gt}
    for row, luma, chroma in (
        ("SR, chroma of GT", "SR", "GT"),
        ("SR, luma of GT", "GT", "SR"),
        ("SR, chroma of bicubic", "SR", "bicubic"),
    ):
        assert np.abs(found[row][0] - planes(own[luma])[0]).max() < 1.1
        assert np.abs(found[row][1:] - planes(own[chroma])[1:]).max() < 1.1
    coarse = found["SR, coarse chroma of GT"][1:] - planes(gt)[1:]
    assert np.abs(cv2.GaussianBlur(np.moveaxis(coarse, 0, -1), (0, 0), 4)).mean() < np.abs(coarse).mean() / 3


def test_the_table_has_a_row_for_each_exchange(frames, tmp_path, monkeypatch, capsys):
    cv2.imwrite(str(tmp_path / "a.png"), frames[0])
    monkeypatch.setattr("sys.argv", ["studies.colours", "method=bilinear", "data=folder", f"data.gt={tmp_path}"])
    assert main() == 0
    rows = {line[:24].strip(): line[24:].split() for line in capsys.readouterr().out.splitlines()[1:]}
    assert rows["bicubic"] == ["+0.0%", "+0.0%", "+0.00", "+0.00"]
    sr, chroma, luma = (rows[name] for name in ("SR", "SR, chroma of GT", "SR, luma of GT"))
    assert float(sr[2]) < 0 and float(chroma[2]) == pytest.approx(float(sr[2]), abs=0.1) and float(luma[2]) > 10
    assert float(sr[3]) < 0 and float(luma[3]) == pytest.approx(float(sr[3]), abs=0.1) and float(chroma[3]) > 10
