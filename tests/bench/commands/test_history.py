"""`history` as a user meets it."""

import pytest

from bench.__main__ import main
from tests.bench.made_up import ENVIRONMENT, make, run_folder, with_score


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Three runs; the last is worse, and its code was modified."""
    monkeypatch.chdir(tmp_path)
    for day, psnr in ((1, 30.0), (2, 30.0), (3, 29.0)):
        records = [
            make("plain", clip, [psnr, psnr + 1], [0.1, 0.1, 0.1], date=f"2026-02-0{day}T00:00:00") for clip in "ab"
        ]
        run_folder(tmp_path / "runs" / f"r{day}", records, ENVIRONMENT | {"commit": str(day) * 40, "dirty": day == 3})
    return tmp_path


def test_a_folder_of_runs_is_a_history(place, capsys):
    assert main(["history", "runs", "--metrics", "psnr,fps", "--format", "md", "--out", "plots"]) == 0
    out, err = capsys.readouterr()
    assert "| r3 | 3333333+ | 2026-02-03 | 29.50 |" in out and "-1.00 dB, worse" in out and "machine A:" in out
    assert err.splitlines() == ["bench: set, plain, PSNR-Y: worse at 3333333+ than in the run before"]
    assert {file.name for file in (place / "plots").iterdir()} == {"history-set.png", "history-set.svg"}


def test_the_terminal_and_csv_show_the_same_runs(place, capsys):
    for kind in ("term", "csv"):
        assert main(["history", "runs/r1", "runs/r2", "--format", kind]) == 0
        out = capsys.readouterr().out
        assert "1111111" in out and "2222222" in out and "3333333" not in out


@pytest.mark.parametrize(
    "words, said",
    [
        (["nowhere"], "nowhere: no run here"),
        (["runs", "--metrics", "psnrr"], "--metrics psnrr: not in these runs; did you mean 'psnr'?"),
        (["runs", "--methods", "sharp"], "--methods sharp: not in these runs"),
        (["runs", "--out", "file"], "--out file: it is a file"),
        ([], "the following arguments are required"),
    ],
)
def test_bad_input_is_one_line(place, capsys, words, said):
    (place / "file").touch()
    try:
        code = main(["history", *words])
    except SystemExit as stop:
        code = stop.code
    error = capsys.readouterr().err
    assert code == 3 and said in error and error.count("\n") == 1


def test_names_from_a_foreign_run_cannot_steer_the_terminal(place, capsys):
    """Nor does the recipe of a figure, which `table --signatures` prints."""
    for day, psnr in ((1, 30.0), (2, 20.0)):
        records = [make("m\x1b[2J", c, [psnr], [0.1], date=f"2026-02-0{day}T00:00:00") for c in "abcd"]
        records = [with_score(r, "psnr", signature="psnr|\x1b]0;title\x07|v1") for r in records]
        run_folder(place / "foreign" / str(day), records)
    assert main(["history", "foreign"]) == 0
    assert main(["table", "foreign/1", "--signatures"]) == 0
    said = capsys.readouterr()
    assert r"m\x1b[2J, PSNR-Y: worse" in said.err and r"psnr|\x1b]0;title\x07|v1" in said.out
    assert "\x1b" not in said.out + said.err and "\x07" not in said.out


def test_a_run_without_a_known_commit_has_its_name(place, capsys):
    run_folder(place / "more", [make("plain", "a", [30.0], [0.1])], None)
    assert main(["history", "more"]) == 0
    assert "more" in capsys.readouterr().out
