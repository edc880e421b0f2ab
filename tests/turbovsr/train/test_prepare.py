"""Preparation of photographs and videos: what is stored, under which names, and what is left out."""

import numpy as np
import pytest
from PIL import Image

import frames.video as frames_video
from turbovsr.train import prepare


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos of mine"
    folder.mkdir()
    rows, columns = np.mgrid[:128, :192]
    ramp = np.stack([rows, columns, rows // 2 + columns // 2], axis=-1).astype(np.uint8)
    Image.fromarray(ramp).save(folder / "ramp.png")
    return folder


def run(*arguments) -> int:
    return prepare.main(list(map(str, arguments)))


def stored(out) -> list[np.ndarray]:
    return sorted((np.load(path) for path in (out / "photos").glob("*.npy")), key=lambda p: -p.size)


def test_photographs_are_stored_in_their_own_size_alone_unless_asked(photos, tmp_path):
    run(tmp_path / "out", "--photos", photos)
    assert [p.shape for p in stored(tmp_path / "out")] == [(128, 192, 3)]


@pytest.mark.parametrize(
    "option, sizes",
    [("--photos", [(128, 192), (91, 136), (64, 96), (45, 68)]), ("--halved-photos", [(64, 96), (45, 68)])],
)
def test_smaller_sizes_show_the_whole_photograph_down_to_the_smallest(option, sizes, photos, tmp_path):
    run(tmp_path / "out", option, photos, "--smallest", 45)
    found = stored(tmp_path / "out")
    assert [p.shape[:2] for p in found] == sizes
    for photo in found:  # red counts rows and green columns of the photograph: corners show that nothing was cut off
        scale = 128 / photo.shape[0]
        assert np.abs(photo[0, 0].astype(int)).max() <= 2 * scale
        assert np.abs(photo[-1, -1, :2].astype(int) - (127, 191)).max() <= 2 * scale


def test_no_size_is_stored_in_the_place_of_another_photograph(photos, tmp_path):
    for number in range(1, 4):
        (photos / f"ramp-{number}.png").write_bytes((photos / "ramp.png").read_bytes())
    run(tmp_path / "out", "--photos", photos, "--smallest", 45)
    assert len(stored(tmp_path / "out")) == 4 * 4


def test_a_size_below_one_pixel_is_refused(photos, tmp_path, capsys):
    assert run(tmp_path / "out", "--photos", photos, "--smallest", 0) == 3
    assert "--smallest 0" in capsys.readouterr().err


def write_video(path, frames: int = 24) -> None:
    pixels = [np.full((64, 64, 3), 8 * t, np.uint8) for t in range(frames)]
    frames_video.write_video(path, pixels, 24)


def test_sequences_of_a_video_are_stored_halved_without_those_of_held_out_clips(tmp_path):
    for t, name in enumerate(("one", "two")):
        (tmp_path / name).mkdir()
        write_video(tmp_path / name / "clip.mp4", 24 + t)
    out = tmp_path / "out"
    videos = [tmp_path / "one" / "clip.mp4", tmp_path / "two" / "clip.mp4"]
    assert run(out, "--videos", *videos, "--length", 8, "--every", 12) == 0
    names = sorted(path.name for path in (out / "shots").iterdir())
    assert names == [f"clip-{start:06d}{more}.npy" for start in (0, 12) for more in ("", "~2")]
    assert np.load(out / "shots" / "clip-000012.npy").shape == (8, 32, 32, 3)


def test_broken_files_are_left_out_and_the_rest_is_stored(photos, tmp_path, capsys):
    write_video(tmp_path / "good.mp4")
    (tmp_path / "bad.mp4").write_bytes(b"junk")
    (photos / "bad.png").write_bytes(b"junk")
    words = ("--photos", photos, "--videos", tmp_path / "bad.mp4", tmp_path / "good.mp4", "--length", 8, "--every", 12)
    assert run(tmp_path / "out", *words) == 3
    err = capsys.readouterr().err
    assert err.count("left out: ") == 2 and "1 of 2 videos were left out" in err and "Traceback" not in err
    assert len(stored(tmp_path / "out")) == 1 and len(list((tmp_path / "out" / "shots").iterdir())) == 2


@pytest.mark.parametrize(
    "words, message",
    [
        ((), "nothing to prepare"),
        (("--photos", "/nowhere"), "/nowhere: no such folder"),
        (("--videos", "/nowhere.mp4"), "/nowhere.mp4: no such video"),
        (("--held-out", "/nowhere.mp4", "--videos", "x"), "/nowhere.mp4: no such"),
        (("--length", "0"), "--length 0"),
        (("--every", "3"), "--every 3"),
        (("--smallest", "x"), "--smallest"),
        (("--nope",), "--nope"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_3(words, message, tmp_path, capsys):
    assert run(tmp_path / "out", *words) == 3
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err


def test_a_folder_without_photographs_is_one_clear_error(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "out", "--photos", tmp_path / "empty") == 3
    assert "no photographs here that can be read" in capsys.readouterr().err


def test_photographs_of_one_name_in_two_formats_are_both_stored(photos, tmp_path):
    Image.open(photos / "ramp.png").save(photos / "ramp.bmp")
    assert run(tmp_path / "out", "--photos", photos) == 0
    assert len(stored(tmp_path / "out")) == 2


def test_a_folder_of_other_arguments_is_refused_and_the_same_call_writes_it_anew(photos, tmp_path, capsys):
    write_video(tmp_path / "film.mp4")
    out, words = tmp_path / "out", ("--videos", tmp_path / "film.mp4", "--length", 8, "--every", 12)
    assert run(out, *words) == 0 == run(out, *words)
    before = sorted((out / "shots").iterdir())
    for other in ((*words, "--held-out", tmp_path / "film.mp4"), ("--photos", photos)):
        assert run(out, *other) == 3
        assert "out: it has arrays of a call with other arguments" in capsys.readouterr().err
    assert sorted((out / "shots").iterdir()) == before and not list((out / "photos").iterdir())


def test_the_same_call_removes_the_arrays_of_files_that_are_gone(photos, tmp_path, capsys):
    out, video = tmp_path / "out", tmp_path / "film.mp4"
    (photos / "private.png").write_bytes((photos / "ramp.png").read_bytes())
    write_video(video)
    command = [out, "--photos", photos, "--videos", video]
    assert run(*command) == 0 and "removed" not in capsys.readouterr().out
    shots = sorted((out / "shots").iterdir())
    (photos / "private.png").unlink()
    assert run(*command) == 0 and "removed: 1 arrays" in capsys.readouterr().out
    assert [path.name for path in (out / "photos").iterdir()] == ["photos of mine-ramp.npy"]
    assert sorted((out / "shots").iterdir()) == shots != []


def test_photographs_that_resemble_a_held_out_clip_are_left_out(photos, tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (18, 32, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    Image.fromarray(noise).save(photos / "noise.png")
    (tmp_path / "held").mkdir()
    Image.open(photos / "ramp.png").resize((96, 64)).save(tmp_path / "held" / "1.png")
    assert run(tmp_path / "out", "--photos", photos, "--held-out", tmp_path / "held") == 0
    assert [photo.shape for photo in stored(tmp_path / "out")] == [noise.shape]
    assert "ramp.png: it resembles a held-out clip" in capsys.readouterr().err


def test_a_repeated_option_adds_to_the_list(photos, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (40, 30), (9, 99, 200)).save(other / "flat.png")
    assert run(tmp_path / "out", "--photos", photos, "--photos", other) == 0
    assert [photo.shape for photo in stored(tmp_path / "out")] == [(128, 192, 3), (30, 40, 3)]


def test_a_photograph_too_small_to_be_halved_is_left_out_alone(photos, tmp_path, capsys):
    Image.new("RGB", (50, 1)).save(photos / "line.png")
    assert run(tmp_path / "out", "--halved-photos", photos) == 0
    assert [photo.shape for photo in stored(tmp_path / "out")] == [(64, 96, 3)]
    assert "line.png: 50x1 px are too few to be halved" in capsys.readouterr().err


def test_names_that_would_move_the_cursor_are_printed_escaped(photos, tmp_path, capsys):
    folder = photos.rename(tmp_path / "up\x1b[2J")
    write_video(folder / "film\x1b[2J.mp4")
    assert run(tmp_path / "out", "--photos", folder, "--videos", folder / "film\x1b[2J.mp4") == 0
    said = capsys.readouterr()
    assert "up\\x1b[2J: 1 photographs" in said.out and "film\\x1b[2J.mp4: 24 frames" in said.out
    assert "\x1b" not in said.out + said.err
