"""`worker` and `watch` where there is no run: one line with the remedy."""

import pytest

from bench.__main__ import main


@pytest.mark.parametrize(
    "words, said",
    [
        (["worker", "nowhere", "--stop"], "nowhere: no such folder; give the folder of a run"),
        (["watch", "nowhere"], "nowhere: no such folder"),
        (["watch", "empty"], "empty: no run is at work here, and there are no records; give the folder of a run"),
    ],
)
def test_a_wrong_path_is_one_line(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main(words) == 3
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_stopping_where_nobody_works_is_no_error(tmp_path, capsys):
    assert main(["worker", str(tmp_path), "--stop"]) == 0
    assert "nobody is at work here" in capsys.readouterr().err
