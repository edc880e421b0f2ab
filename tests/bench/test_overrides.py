"""KEY=VALUE: paths are taken as they stand, sweeps are found, mistakes are one line."""

import os

import pytest

from bench.config import compose
from bench.overrides import literal, parse
from frames.errors import UserError

NAMES = [
    "über", "日本", "clip (1)", "x[1]", "a=b", "a&b", "it's", "#", "~", ";", "!", "{}", "a,b", "${x}", "[city]", "null",
    "1.5", '"quoted"', "back\\slash", "José & Søn", "a:b", "%20", "@x", "$HOME", "tab\there", "-3",
]  # fmt: skip


def texts(word):
    return [value.text for value in parse([word])[0].values]


def labels(word):
    return [value.label for value in parse([word])[0].values]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_that_exists_is_taken_as_it_stands(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    os.mkdir(name)
    os.mkdir(os.path.join(name, "inside"))
    paths = [name, f"{tmp_path}/{name}", f"{name}/inside"]
    for root, gt, frames in (paths, [*paths[1:], paths[0]], [paths[2], *paths[:2]]):
        words = ["data=folder", "method=precomputed", f"data.root={root}", f"data.gt={gt}", f"method.root={frames}"]
        config = compose(words)
        assert [config.data.root, config.data.gt, config.method.root] == [root, gt, frames]


@pytest.mark.parametrize("name", [*NAMES, "results/runs/a,b", "'a,b'"])
def test_folders_to_write_are_taken_as_they_stand_before_they_exist(name):
    config = compose([f"out={name}", f"store={name}"])
    expected = {"null": None, "'a,b'": "a,b", '"quoted"': "quoted"}.get(name, name)
    assert (config.out, config.store) == (expected, expected)


def test_a_name_that_is_not_utf_8(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    os.mkdir(path)
    assert compose(["data=folder", f"data.root={path}", f"out={path}"]).data.root == path


def test_a_list_of_paths_is_swept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("clip (1)")
    os.mkdir("it's")
    assert labels("data.root=clip (1),it's") == ["clip (1)", "it's"]
    assert labels("data.root=a,b") == ["a", "b"]
    os.mkdir("a,b")
    assert labels("data.root=a,b") == ["a,b"]


def test_numbers_and_lists_are_no_paths_even_where_files_of_that_name_lie(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("2", "[psnr]", "null"):
        os.mkdir(name)
    assert compose(["scale=2"]).scale == 2
    assert compose(["metrics=[psnr]", "threads=null"]).metrics == ["psnr"]


@pytest.mark.parametrize(
    "word, expected",
    [
        ("method.steps=1,2", ["1", "2"]),
        ("method.steps=range(1,4)", ["1", "2", "3"]),
        ("metrics=[psnr,ssim]", ["[psnr,ssim]"]),
        ("data.clips=[a,b],[c]", ["[a,b]", "[c]"]),
        ("data.name='a,b'", ["'a,b'"]),
    ],
)
def test_sweeps_are_told_from_values(word, expected):
    assert texts(word) == expected


def test_names_in_other_scripts_need_no_quotes():
    assert compose(["data.name=日本"]).data.name == "日本"
    assert list(compose(["data=folder", "data.clips=[über,b]"]).data.clips) == ["über", "b"]


@pytest.mark.parametrize(
    "word, says",
    [
        ("=3", "write KEY=VALUE"),
        ("method", "write KEY=VALUE"),
        ("~method", "options cannot be taken away; write method=null"),
        ("~", "options cannot be taken away"),
        ("data.root=clip (1)", "cannot read the options: 'data.root=clip \\(1\\)'"),
        ("method.x=" + "[" * 2000, "cannot read the options"),
        ("method.x=" + "9" * 5000, "cannot read the options"),
        ("method.x=range(1,5,0)", "cannot read the options: .*must not be zero"),
        ("method.x=range(nan,5)", "cannot read the options"),
        ("method.x=range(1,1e9)", "a sweep of more than 10000 values"),
    ],
)
def test_what_cannot_be_read_is_one_line(word, says):
    with pytest.raises(UserError, match=says) as caught:
        parse([word])
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


@pytest.mark.parametrize("text", NAMES)
def test_a_quoted_text_comes_out_as_it_is(text):
    assert compose([f"data.name={literal(text)}"]).data.name == text
