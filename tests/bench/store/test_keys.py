"""Keys of stored frames: every file counts that a method of the user's own is made of."""

from pathlib import Path

import pytest

from bench.store import keys
from bench.store.keys import prediction_key, source_digest

METHOD = {"_target_": "baselines.interpolation.Interpolation", "kernel": "bicubic"}


def key(method, **options) -> str:
    """The key as another process would have it."""
    source_digest.cache_clear()
    keys.file_digest.cache_clear()
    return prediction_key(method, "lr", "cpu", **options)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes a file below a folder that Python imports from."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    yield write
    source_digest.cache_clear()
    keys.file_digest.cache_clear()


@pytest.mark.parametrize("named", ["[FILE]", "{parts: {net: FILE}}", "FOLDER", "[FOLDER]"])
def test_files_in_lists_tables_and_folders_count_by_content(tmp_path, named):
    file = tmp_path / "weights" / "net.bin"
    file.parent.mkdir()
    options = {
        "[FILE]": [str(file)],
        "{parts: {net: FILE}}": {"parts": {"net": str(file)}},
        "FOLDER": str(file.parent),
        "[FOLDER]": [str(file.parent)],
    }
    found = []
    for content in ("a", "b"):
        file.write_text(content)
        found.append(key(METHOD | {"weights": options[named]}))
    assert found[0] != found[1]


@pytest.mark.parametrize("named", [lambda path: path, lambda path: [path]])
def test_files_below_the_home_folder_count_where_a_class_finds_them(tmp_path, monkeypatch, named):
    """`~/net.h5` was no file, so that after another training the frames of the former weights were taken."""
    monkeypatch.setenv("HOME", str(tmp_path))
    found = []
    for content in ("a", "b"):
        (tmp_path / "net.h5").write_text(content)
        found.append(key(METHOD | {"weights": named("~/net.h5")}))
    assert found[0] != found[1]


def test_a_text_that_is_too_long_for_a_file_s_name_is_none():
    """A prompt of 300 letters ended the clip: File name too long."""
    assert key(METHOD | {"prompt": "a" * 300}) != key(METHOD | {"prompt": "b" * 300, "all": ["a" * 300]})


def test_hidden_files_and_byte_code_in_a_folder_do_not_count(tmp_path):
    (tmp_path / "net.bin").write_text("a")
    before = key(METHOD | {"weights": str(tmp_path)})
    (tmp_path / "__pycache__").mkdir()
    for name in (".lock", "__pycache__/net.pyc"):
        (tmp_path / name).write_text("new")
    assert key(METHOD | {"weights": str(tmp_path)}) == before


def test_a_method_that_says_its_identity_answers_for_its_folders(tmp_path):
    method = METHOD | {"cwd": str(tmp_path)}
    before = key(method, identity={"version": 1})
    (tmp_path / "log.txt").write_text("new")
    assert key(method, identity={"version": 1}) == before != key(method, identity={"version": 2})


def test_modules_beside_a_module_count_where_it_imports_them(package):
    package("own_sr.py", "import os, own_help as help\nfrom own_net import Net\n")
    package("own_help.py", "from own_deep.part import x\n")
    package("own_net.py", "")
    package("own_deep/__init__.py", "")
    method = {"_target_": "own_sr.Mine"}
    seen = [key(method)]
    for name in ("own_help.py", "own_net.py", "own_deep/part.py"):
        package(name, f"from own_deep.part import x\n# {name}\n")
        seen.append(key(method))
    package("own_other.py", "not imported")
    assert len(set(seen)) == 4 and key(method) == seen[-1]


def test_a_checkout_that_a_class_adds_to_the_path_counts(package, tmp_path, monkeypatch):
    package("own_sr.py", "import sys, own_checked_out.net\n")
    (tmp_path / "checkout").mkdir()
    package("checkout/own_checked_out/net.py", "")
    monkeypatch.syspath_prepend(tmp_path / "checkout")
    before = key({"_target_": "own_sr.Mine"})
    package("checkout/own_checked_out/net.py", "x = 1\n")
    assert key({"_target_": "own_sr.Mine"}) != before


def test_installed_packages_count_by_themselves_alone(package, tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "INSTALLED", (tmp_path.name,))
    package("own_sr.py", "import own_help\n")
    package("own_help.py", "")
    before = key({"_target_": "own_sr.Mine"})
    package("own_help.py", "x = 1\n")
    assert key({"_target_": "own_sr.Mine"}) == before


@pytest.mark.parametrize("packaged", ["net.py", "net.pth", "net.onnx", "net.pth.tar", "net.h5", "warp.cu", "net.param"])
def test_a_package_without_init_counts_with_its_weights(package, packaged):
    package("own_room/up.py", "")
    before = key({"_target_": "own_room.up.Mine"})
    package(f"own_room/{packaged}", "x = 1\n")
    assert key({"_target_": "own_room.up.Mine"}) != before


def test_a_module_that_is_not_there_is_said():
    with pytest.raises(ValueError, match="no such module"):
        key({"_target_": "own_nowhere.Mine"})


def test_a_folder_that_has_a_method_s_name_is_none_of_its_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    method = {"_target_": "turbovsr.TurboVSR", "name": "turbovsr", "weights": None}
    before = prediction_key(method, "", "cpu")
    (tmp_path / "turbovsr").mkdir()
    (tmp_path / "turbovsr" / "README.md").write_text("of the checkout")
    assert prediction_key(method, "", "cpu") == before


def test_files_in_a_linked_folder_count_and_a_link_back_is_not_followed(tmp_path):
    net = tmp_path / "elsewhere" / "unet" / "net.bin"
    net.parent.mkdir(parents=True)
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "unet").symlink_to(net.parent)
    (net.parent / "back").symlink_to(weights)
    found = []
    for content in ("a", "b"):
        net.write_text(content)
        found.append(key(METHOD | {"weights": str(weights)}))
    assert found[0] != found[1]
