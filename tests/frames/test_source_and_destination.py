"""Sources, destinations, and the lines on what does not fit."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from frames.destination import check_destination, lost_properties, write_images
from frames.images import read_image, write_image
from frames.source import open_source
from frames.video import video_info, write_video
from frames.video.info import Format


def picture(value: int, height: int = 8, width: int = 12) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


@pytest.fixture
def folder(tmp_path) -> Path:
    for number in range(1, 13):
        write_image(tmp_path / "in" / f"img{number}.png", picture(number))
    (tmp_path / "in" / "._img1.png").write_bytes(b"resource fork")
    (tmp_path / "in" / ".DS_Store").write_bytes(b"Finder")
    return tmp_path / "in"


def test_a_folder_is_read_in_natural_order_without_hidden_files(folder):
    source = open_source(folder)
    assert [int(frame[0, 0, 0]) for frame in source.frames()] == list(range(1, 13))
    assert source.names == tuple(f"img{number}" for number in range(1, 13)) and source.size == (8, 12)


def test_frames_of_unlike_size_name_the_file(folder):
    write_image(folder / "img7.png", picture(0, 9, 12))
    with pytest.raises(ValueError, match="img7.png: 12x9, but img1.png beside it is 12x8"):
        open_source(folder)


def test_names_that_differ_in_case_alone_become_numbers(folder):
    write_image(folder / "IMG1.png", picture(0))
    assert open_source(folder).names == ()


def test_an_animated_png_gives_all_its_frames(tmp_path):
    pages = [Image.fromarray(picture(value)) for value in (10, 90, 200)]
    pages[0].save(tmp_path / "a.png", save_all=True, append_images=pages[1:], duration=[100, 300, 100])
    source = open_source(tmp_path / "a.png")
    assert (source.count, source.still) == (3, False)
    assert [int(frame[0, 0, 0]) for frame in source.frames()] == [10, 90, 200]
    assert [frame.time for frame in source.timed()] == [0, Fraction(1, 10), Fraction(4, 10)]


def test_a_gif_gives_all_its_frames(tmp_path):
    pages = [Image.fromarray(picture(value)) for value in (10, 90, 200)]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:], duration=100)
    assert open_source(tmp_path / "a.gif").count == 3


@pytest.mark.parametrize("name", ["a.gif", "a.avif"])
def test_a_video_of_one_frame_may_become_an_image(tmp_path, name):
    Image.fromarray(np.full((16, 24, 3), 90, np.uint8)).save(tmp_path / name)
    source = open_source(tmp_path / name)
    check_destination(tmp_path / "out.png", tmp_path / name, source, 4, overwrite=False)
    write_images(tmp_path / "out.png", source.frames(), source)
    assert np.abs(read_image(tmp_path / "out.png").astype(int) - 90).max() < 3


def test_standard_output_is_refused(folder):
    with pytest.raises(ValueError, match="-: nothing is written to standard output"):
        check_destination(Path("-"), folder, open_source(folder), 4, overwrite=False)


@pytest.mark.parametrize("name", ["a.webp", "a.tif"])
def test_other_files_of_several_pictures_are_one_line(tmp_path, name):
    pages = [Image.fromarray(picture(value)) for value in (10, 90, 200)]
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    with pytest.raises(ValueError, match=f"{name}: it holds 3 pictures"):
        open_source(tmp_path / name)


@pytest.mark.parametrize("name", ["a.avi", "a.webm", "a.gif", "a.m4v", "a.ts", "a.heic", "a.v2"])
def test_names_that_are_not_written_are_refused_with_those_that_are(folder, tmp_path, name):
    with pytest.raises(ValueError, match=f"{name}: .* is not written; give a name in .mp4, .mkv, .mov, .png"):
        check_destination(tmp_path / name, folder, open_source(folder), 4, False)


@pytest.mark.parametrize("name", ["new/out.png", "new/out", "there", "out.mp4"])
def test_a_folder_without_permission_is_refused_before_the_work(folder, tmp_path, monkeypatch, name):
    (tmp_path / "there").mkdir()
    still = tmp_path / "in" / "img1.png"
    place = tmp_path / "there" if name == "there" else tmp_path
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != place)  # root may write anywhere
    with pytest.raises(ValueError, match=f"{name}: nothing can be written into {place}; check its permissions"):
        check_destination(tmp_path / name, still, open_source(still), 4, False)


def test_a_file_in_place_of_the_folder_is_refused_before_the_work(folder, tmp_path):
    (tmp_path / "notes").write_text("")
    with pytest.raises(ValueError, match="out: .*notes is a file"):
        check_destination(tmp_path / "notes" / "out", folder, open_source(folder), 4, False)


def test_a_folder_that_exists_may_have_any_name(folder, tmp_path):
    (tmp_path / "out.v2").mkdir()
    check_destination(tmp_path / "out.v2", folder, open_source(folder), 4, False)


def test_overwriting_leaves_no_frame_of_another_clip(folder, tmp_path):
    out = tmp_path / "out"
    for name in ("img3.png", "old1.png", "old2.png", ".kept.png"):
        write_image(out / name, picture(255))
    source = open_source(folder)
    with pytest.raises(ValueError, match="is there already"):
        check_destination(out, folder, source, 1, overwrite=False)
    check_destination(out, folder, source, 1, overwrite=True)
    write_images(out, source.frames(), source)
    assert {path.name for path in out.iterdir()} == {f"img{number}.png" for number in range(1, 13)} | {".kept.png"}
    assert read_image(out / "img3.png")[0, 0, 0] == 3


def test_old_frames_stay_where_no_new_one_comes(folder, tmp_path):
    write_image(tmp_path / "out" / "old.png", picture(255))
    with pytest.raises(RuntimeError):
        write_images(tmp_path / "out", _failing(), open_source(folder))
    assert (tmp_path / "out" / "old.png").exists()


def _failing():
    raise RuntimeError("out of memory")
    yield


@pytest.mark.parametrize("other", ["notes.txt", "thesis.xlsx", "sub/a.png", "photo.jpg"])
def test_overwriting_touches_no_folder_with_anything_but_frames(folder, tmp_path, other):
    path = tmp_path / "out" / other
    path.parent.mkdir(parents=True)
    path.write_bytes(b"mine")
    with pytest.raises(ValueError, match=f"out/{other.split('/')[0]}: not a frame, so --overwrite leaves"):
        check_destination(tmp_path / "out", folder, open_source(folder), 4, overwrite=True)


def test_the_input_is_never_written_over(folder, tmp_path):
    still = folder / "img1.png"
    hard = tmp_path / "hard.png"
    hard.hardlink_to(still)
    soft = tmp_path / "soft.png"
    soft.symlink_to(still)
    for output, given in ((folder, folder), (still, still), (hard, still), (soft, still)):
        with pytest.raises(ValueError, match="the input itself"):
            check_destination(output, given, open_source(given), 4, overwrite=True)
    with pytest.raises(ValueError, match="the input lies in this folder"):
        check_destination(folder, still, open_source(still), 4, overwrite=True)


def test_files_and_folders_are_not_taken_for_each_other(folder, tmp_path):
    (tmp_path / "clip.mp4").mkdir()
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ValueError, match="clip.mp4: there is a folder of this name"):
        check_destination(tmp_path / "clip.mp4", folder, open_source(folder), 4, overwrite=True)
    with pytest.raises(ValueError, match="out: there is a file of this name"):
        check_destination(tmp_path / "out", folder, open_source(folder), 4, overwrite=True)


def test_what_h264_cannot_hold_is_refused_before_the_work(tmp_path):
    write_image(tmp_path / "wide.png", picture(0, 2, 5000))
    source = open_source(tmp_path / "wide.png")
    check_destination(tmp_path / "a.png", tmp_path / "wide.png", source, 4, False)
    with pytest.raises(ValueError, match="a.mp4: 20000x8 is more than H.264 holds"):
        check_destination(tmp_path / "a.mp4", tmp_path / "wide.png", source, 4, False)


def test_what_is_lost_is_said_line_by_line(folder):
    source = open_source(folder)
    assert list(lost_properties(source, Path("out"))) == []
    form = Format(
        pixel_aspect=Fraction(16, 11),
        primaries=9,
        transfer=16,
        bits=10,
        interlaced=True,
        alpha=True,
        sound=1,
        subtitles=2,
    )
    said = "\n".join(lost_properties(replace(source, format=form), Path("out")))
    for word in ("1 of sound, 2 of subtitles", "transparency", "10 bits", "interlaced", "HDR", "16:11"):
        assert word in said
    kept = "\n".join(lost_properties(replace(source, format=form), Path("out.mp4")))
    assert "16:11" not in kept and "kept as tags" in kept


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_colour_profile_other_than_srgb_is_said(tmp_path, suffix):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    other = profile.replace(b"sRGB", b"wide").replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be"))
    left_out = "stored with its pixels and left out: a colour profile other than sRGB"
    for name, embedded, lines in (("none", None, []), ("srgb", profile, []), ("wide", other, [left_out])):
        path = tmp_path / f"{name}{suffix}"
        Image.fromarray(picture(99)).save(path, icc_profile=embedded)
        assert list(lost_properties(open_source(path), tmp_path / "out.png")) == lines


def test_a_video_of_one_frame_is_a_video(tmp_path):
    write_video(tmp_path / "a.mp4", [picture(100, 32, 48)], 25)
    assert video_info(tmp_path / "a.mp4").frames == 1 == open_source(tmp_path / "a.mp4").count
