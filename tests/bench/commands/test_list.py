"""`python -m bench list`: what it says of configurations of the user's own."""

from bench.__main__ import main


def test_a_config_that_is_not_utf_8_is_one_line_with_its_name(tmp_path, capsys):
    (tmp_path / "method").mkdir()
    (tmp_path / "method" / "mine.yaml").write_bytes(b"# m\xe4nner\n_target_: baselines.interpolation.Interpolation\n")
    assert main(["list", "--config-dir", str(tmp_path)]) == 3
    said = capsys.readouterr().err
    assert "mine.yaml: line 1 is not UTF-8 text" in said and "unexpected" not in said


def test_a_config_of_the_users_own_is_listed_by_its_summary(tmp_path, capsys):
    (tmp_path / "method").mkdir()
    (tmp_path / "method" / "mine.yaml").write_text("_target_: mine.Mine\nsummary: sharper than yours\n")
    assert main(["list", "--config-dir", str(tmp_path)]) == 0
    assert "sharper than yours" in capsys.readouterr().out
