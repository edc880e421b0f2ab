"""A folder of videos."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from frames.images import write_image
from frames.video import video_info
from tests import phone
from turbovsr.__main__ import main
from turbovsr.many import outputs


@pytest.fixture
def run(weights):
    return lambda *words: main([str(word) for word in (*words, "--weights", weights, "--scale", 2)])


@pytest.fixture
def films(tmp_path) -> Path:
    phone.record(tmp_path / "films" / "a.mp4", seconds=1)
    shutil.copy(tmp_path / "films" / "a.mp4", tmp_path / "films" / "b.mov")
    (tmp_path / "films" / "notes.txt").write_text("not a film")
    return tmp_path / "films"


def test_each_video_becomes_one_and_what_is_finished_is_left_alone(run, films, tmp_path, capsys):
    (films / "broken.mp4").write_text("no pixels")
    assert run(films, tmp_path / "out") == 3
    said = capsys.readouterr().err
    assert "broken.mp4: not a readable video" in said and "1 of 3 videos failed" in said
    assert "left out, not videos by their names: notes.txt" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "b.mov"]
    first = (tmp_path / "out" / "a.mp4").stat().st_mtime_ns
    (films / "broken.mp4").unlink()
    assert run(films, tmp_path / "out") == 0
    assert "a.mp4: is there already" in capsys.readouterr().err
    assert (tmp_path / "out" / "a.mp4").stat().st_mtime_ns == first
    assert video_info(tmp_path / "out" / "b.mov").format.sound == 1


def test_a_cut_output_is_said_again_until_it_is_made_from_a_whole_film(run, films, tmp_path, capsys):
    (films / "b.mov").unlink()
    (films / "notes.txt").unlink()
    (films / "a.mp4").unlink()
    whole = phone.record(tmp_path / "whole.mkv", seconds=4, subtitles=False, turned=False).read_bytes()
    (films / "c.mkv").write_bytes(whole[: len(whole) * 7 // 10])
    out = tmp_path / "out"
    assert run(films, out) == 3
    first, made = capsys.readouterr().err, (out / "c.mkv").read_bytes()
    assert "c.mkv: the file is truncated" in first
    assert run(films, out) == 3
    again = capsys.readouterr().err
    assert "is there already" in again and "c.mkv: the file is truncated" in again and "1 of 1 videos failed" in again
    assert (out / "c.mkv").read_bytes() == made
    (films / "c.mkv").write_bytes(whole)
    assert run(films, out, "--overwrite") == 0
    assert [path.name for path in out.iterdir()] == ["c.mkv"]
    assert run(films, out) == 0


@pytest.mark.parametrize("name", ["00001.MTS", "dvd.vob", "old.wmv", "phone.3gp", "tape.dv"])
def test_films_of_cameras_and_discs_are_films_by_their_names(run, films, tmp_path, name):
    for path in films.iterdir():
        path.rename(films / name) if path.suffix == ".mp4" else path.unlink()
    assert run(films, tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{Path(name).stem}.mkv"]


def test_a_link_that_leads_nowhere_is_a_film_that_fails(run, films, tmp_path, capsys):
    (films / "b.mov").unlink()
    (films / "b.mov").symlink_to(tmp_path / "unmounted" / "b.mov")
    assert run(films, tmp_path / "out") == 3
    said = capsys.readouterr().err
    assert "b.mov: a link to" in said and "1 of 2 videos failed" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.mp4"]


def test_outputs_that_are_no_folder_for_videos_are_refused(run, films, tmp_path, capsys):
    for output, complaint in ((tmp_path / "out.mp4", "the name of a folder"), (films, "the input itself")):
        assert run(films, output) == 3
        assert complaint in capsys.readouterr().err


def test_a_folder_with_images_is_one_of_frames(run, films, tmp_path, capsys):
    write_image(films / "0.png", np.zeros((8, 8, 3), np.uint8))
    assert run(films, tmp_path / "out") == 0
    assert "a folder of images; 2 videos in it left out" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0.png"]


def test_names_and_containers():
    def named(*names, container=None):
        return [output.name for _, output in outputs([Path(name) for name in names], Path("out"), container)]

    assert named("a.mp4", "b.MOV", "c.avi", "d.webm") == ["a.mp4", "b.mov", "c.mkv", "d.mkv"]
    assert named("a.avi", "a.webm", "b.mp4") == ["a.avi.mkv", "a.webm.mkv", "b.mp4"]
    assert named("a.avi", "a.mkv", "a.avi.mkv") == ["a.avi.2.mkv", "a.mkv.mkv", "a.avi.mkv"]
    assert named("A.avi", "a.avi") == ["A.avi.mkv", "a.avi.2.mkv"]  # one name on some file systems
    assert named("a.avi", "b.mov", container="mp4") == ["a.mp4", "b.mp4"]
