"""Options of the ablation that cannot be."""

import pytest

from studies.ablation import main


def test_clips_without_frames_are_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["studies.ablation", "--frames", "0"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 3 and "--frames 0: 1 at least" in capsys.readouterr().err
