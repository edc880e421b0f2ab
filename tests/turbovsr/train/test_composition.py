"""From the words of the command line to plain dictionaries: any path, and one line for each mistake."""

import subprocess
import sys
from pathlib import Path

import pytest

from frames.errors import UserError
from turbovsr.train.composition import compose_plain

NAMES = "über|日本|clip (1)|x[1]|a=b|a&b|it's|#|~|a;b|!|{}|a,b|a b|${x}|1_000".split("|")


@pytest.mark.parametrize("name", NAMES)
def test_a_path_that_exists_is_taken_as_it_is(name, tmp_path):
    (tmp_path / name).mkdir()
    plain = compose_plain([f"data={tmp_path / name}", f"validate={tmp_path / name}", f"out={tmp_path / name}"])
    assert plain["data"] == plain["out"] == str(tmp_path / name) and plain["validate"] == [str(tmp_path / name)]


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_for_results_need_not_exist(name):
    assert compose_plain(["data=x", f"out=runs/{name}"])["out"] == f"runs/{name}"


def test_several_paths_are_a_list(tmp_path):
    assert compose_plain(["data=[a,b]", "out=y"])["data"] == ["a", "b"]
    (tmp_path / "a").mkdir()
    assert compose_plain([f"data={tmp_path / 'a'}", "data=[c]", "out=y"])["data"] == ["c"]


@pytest.mark.parametrize("folder", ["José", "a b", "x, y", "it's", "(1)"])
def test_a_config_dir_may_have_any_name(folder, tmp_path):
    (tmp_path / folder / "model").mkdir(parents=True)
    (tmp_path / folder / "model" / "own.yaml").write_text("decoder_width: 12\n")
    plain = compose_plain(["model=own", "data=x", "out=y"], tmp_path / folder)
    assert plain["model"]["decoder_width"] == 12


DAMAGED = {
    "tab": b"a:\n\tb: 1\n",
    "twice": b"seed: 1\nseed: 2\n",
    "empty": b"",
    "list": b"- 1\n",
    "deep": b"a: " + b"[" * 3000 + b"]" * 3000,
    "latin": b"a: \xff\n",
    "bomb": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (c + 1, c + 1, b",".join([b"*%c" % c] * 9)) for c in b"abcdefg"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_recipe_is_one_line_that_names_it(name, tmp_path):
    (tmp_path / "recipe").mkdir()
    (tmp_path / "recipe" / f"{name}.yaml").write_bytes(DAMAGED[name])
    with pytest.raises(ValueError, match=f"{name}.yaml") as caught:
        compose_plain([f"recipe={name}", "data=x", "out=y"], tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "word, message",
    [
        ("x", "options are KEY=VALUE"),
        ("~data", "options are KEY=VALUE"),
        ("~data=x", "cannot be deleted"),
        ("threads=1,2", "one value at a time"),
        ("data=clip (1)", "clip .1.: no such file or folder"),
        ("hydra.run.dir=x", "options of Hydra itself"),
        ("data=${x}", "Interpolation key 'x' not found"),
    ],
)
def test_a_word_that_cannot_be_read_is_one_clear_error(word, message):
    with pytest.raises(UserError, match=message):
        compose_plain([word])


def test_help_and_the_shown_configuration_do_without_torch():
    script = """
import sys
from turbovsr.train.__main__ import main
assert main(["--help"]) == 0 and main(["data=x", "out=y", "--print-config"]) == 0
assert main(["recipe=nope"]) == 3
heavy = {"torch", "cv2", "matplotlib", "pandas", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["prepare", "plot"])
def test_help_of_the_other_commands_does_without_torch(module):
    script = f"""
import sys
from turbovsr.train.{module} import main
assert main(["--help"]) == 0 and main(["--nope"]) == 3
assert not {{"torch", "matplotlib"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
