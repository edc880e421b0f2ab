"""Errors of a command: those that were written for the user as they are, all others with the file at hand and a log."""

import json
from pathlib import Path

import pytest

from frames.command_line import Parser, guarded
from frames.errors import EnvironmentInvalid, UserError
from frames.unexpected import is_deliberate


def raised(function) -> Exception:
    with pytest.raises(Exception) as caught:
        function()
    return caught.value


def test_usage_errors_exit_with_3(capsys):
    parser = Parser("python -m bench table", "Print tables.")
    parser.add_argument("run")
    assert guarded("bench", lambda: parser.parse_args([]) and 0) == 3
    assert capsys.readouterr().err.startswith("bench: the following arguments are required: run; see python -m bench")
    assert guarded("bench", lambda: parser.parse_args(["--help"]) and 0) == 0


def test_the_help_of_an_option_ends_with_its_default_value_unless_it_says_it():
    parser = Parser("python -m bench table", "Print tables.")
    parser.add_argument("--repeats", type=int, default=5, help="calls")
    parser.add_argument("--tile", default="auto", help="edge in pixels (default auto: by size)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bare", action="store_true", help="no small print")
    lines = [" ".join(line.split()) for line in parser.format_help().splitlines()[-4:]]
    assert lines == [
        "--repeats REPEATS calls (default 5)",
        "--tile TILE edge in pixels (default auto: by size)",
        "--seed SEED (default 0)",
        "--bare no small print",
    ]


def test_an_option_of_several_values_adds_to_them_when_it_is_repeated():
    parser = Parser("python -m bench table", "Print tables.")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--photos", nargs="*", default=[])
    parser.add_argument("--data", nargs="+")
    given = parser.parse_args(["a", "--photos", "A", "B", "--photos", "C", "--data", "x", "--data", "y", "z"])
    assert (given.words, given.photos, given.data) == (["a"], ["A", "B", "C"], ["x", "y", "z"])
    assert parser.parse_args([]).photos == []


@pytest.mark.parametrize(
    "error, code, expected",
    [
        (UserError("file.yaml: no such key"), 3, "bench: file.yaml: no such key\n"),
        (EnvironmentInvalid("no GPU"), 4, "bench: no GPU\n"),
        (FileNotFoundError(2, "No such file or directory", "x"), 3, "bench: x: No such file or directory\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (SystemExit(3), 3, ""),
    ],
)
def test_what_is_raised_becomes_a_line_and_a_code(capsys, error, code, expected):
    def command() -> int:
        raise error

    assert guarded("bench", command) == code
    assert capsys.readouterr().err.endswith(expected)


def test_only_messages_of_this_project_are_written_for_the_user():
    from frames import resize

    assert not is_deliberate(raised(lambda: int("x")))
    assert not is_deliberate(raised(lambda: json.loads("{")))
    assert not is_deliberate(raised(lambda: {}["key"]))
    assert is_deliberate(raised(lambda: open("/nowhere/file")))
    assert Path(resize.__file__).parent.name == "frames"


def test_the_unforeseen_names_the_file_at_hand(capsys, tmp_path, monkeypatch):
    from bench.store import records

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(records.json, "loads", lambda _, **hook: {}["missing"])
    (tmp_path / "records.jsonl").write_text("{}\n")
    assert guarded("bench", lambda: len(records.load(tmp_path))) == 3
    said = capsys.readouterr().err
    assert str(tmp_path) in said and "unexpected KeyError" in said and len(said.splitlines()) == 1


def test_without_a_place_for_the_log_the_line_stays(capsys, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    assert guarded("bench", lambda: {}["key"]) == 3
    assert "BENCH_TRACEBACK=1" in capsys.readouterr().err
