"""Previews: a few seconds as a split screen, without the rest of the film."""

import pytest

from frames.video import read_timed
from frames.video.decode import Reader
from tests import phone
from turbovsr.__main__ import main


@pytest.fixture
def run(weights):
    return lambda *words: main([str(word) for word in (*words, "--weights", weights, "--scale", 2)])


def test_a_preview_is_a_split_screen_of_the_seconds_asked_for(run, tmp_path):
    given = phone.record(tmp_path / "in.mp4", seconds=6, size=(48, 64), turned=False)
    assert run(given, tmp_path / "out.mp4", "--preview", 2, "--start", 3) == 0
    frames = list(read_timed(tmp_path / "out.mp4"))
    assert 20 <= len(frames) <= 21 and frames[0].time == 0 and frames[-1].time < 2
    line = frames[2].pixels[10:-10, 63:65].mean()
    assert frames[2].pixels.shape == (96, 128, 3) and line > frames[2].pixels[10:-10, 20:40].mean() + 60
    assert phone.beeps(tmp_path / "out.mp4")[:2] == pytest.approx([0, 1], abs=0.001)
    assert run(given, tmp_path / "late.mp4", "--preview", 2, "--start", 60) == 3


def test_a_preview_does_not_decode_the_whole_film(run, tmp_path, monkeypatch):
    given = phone.record(tmp_path / "in.mkv", seconds=40, subtitles=False, turned=False)
    decoded, count = [], Reader._count
    monkeypatch.setattr(Reader, "_count", lambda reader, frame: (decoded.append(1), count(reader, frame))[1])
    assert run(given, tmp_path / "out.mkv", "--preview", 1) == 0
    assert len(decoded) < 200  # of 400
    assert len(list(read_timed(tmp_path / "out.mkv"))) == 10
