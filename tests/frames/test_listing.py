"""Frames in a folder: numbered ones in natural order, hidden ones not at all."""

from pathlib import Path

import pytest

from frames.listing import entries, frame_number, images_in, natural_key


def test_numbers_count_as_numbers_whatever_stands_around_them(tmp_path):
    for prefix in ("img", "scene 2 frame ", ""):
        folder = tmp_path / f"of {prefix}"
        folder.mkdir()
        for number in range(1, 13):
            (folder / f"{prefix}{number}.png").touch()
        assert [path.name for path in images_in(folder)] == [f"{prefix}{number}.png" for number in range(1, 13)]


def test_hidden_files_and_other_files_are_no_frames(tmp_path):
    for name in ("f1.png", "f2.PNG", "._f1.png", ".DS_Store", ".hidden.jpg", "Thumbs.db", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in images_in(tmp_path)] == ["f1.png", "f2.PNG"]


@pytest.mark.parametrize("name", ["frame².png", "x³.png", "frame①.png", "٣.png"])
def test_digits_that_are_no_decimal_digits_are_letters(tmp_path, name):
    assert frame_number(Path(name)) is None
    (tmp_path / name).touch()
    (tmp_path / "a1.png").touch()
    assert len(images_in(tmp_path)) == 2


def test_order_does_not_depend_on_how_names_are_padded():
    names = ["a10.png", "a2.png", "a02.png", "a1b3.png", "a1b20.png", "b.png", "a.png", "10.png", "9.png"]
    ordered = sorted(map(Path, names), key=natural_key)
    assert [path.name for path in ordered] == [
        "9.png", "10.png", "a1b3.png", "a1b20.png", "a02.png", "a2.png", "a10.png", "a.png", "b.png"
    ]  # fmt: skip


def test_a_number_longer_than_python_converts_does_not_stop_the_listing():
    assert frame_number(Path("9" * 250 + ".png")) == int("9" * 250)


def test_what_is_not_there_is_one_line(tmp_path):
    for missing in (tmp_path / "gone", tmp_path / "file"):
        (tmp_path / "file").touch()
        with pytest.raises(FileNotFoundError, match=f"{missing}: no such folder"):
            entries(missing)
    with pytest.raises(ValueError, match="there is no image in it"):
        images_in(tmp_path)
