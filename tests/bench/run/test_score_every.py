"""Frames left out of the scores: figures with a name of their own, that nothing compares with those of all frames."""

import pytest

from bench.store.records import load


@pytest.fixture
def runs(bench, clips, tmp_path):
    """Folders of one run over all frames and one over every second."""
    common = ("method=bicubic", "data=folder", f"data.gt={clips}", "data.clips=[pan]", "timing=once")
    for name, words in (("all", ()), ("some", ("score_every=2",))):
        answer = bench("run", *common, "metrics=[psnr,tof]", *words, f"out={tmp_path / name}")
        assert answer.code == 0, answer.err
    return tmp_path / "all", tmp_path / "some"


def test_some_frames_are_scored_and_told_and_metrics_of_neighbours_refuse(runs):
    every, some = (load(folder).records[0] for folder in runs)
    kept = some.scores["psnr"]
    assert kept.indices == [0, 2] and kept.values == [every.scores["psnr"].values[index] for index in (0, 2)]
    assert "|every2|mean-frames" in kept.signature and kept.short == "PSNR-RGB every2"
    assert some.protocol == "rgb every2" and some.sr_sha256 == every.sr_sha256
    assert some.scores["tof"].values is None and "consecutive frames" in some.scores["tof"].reason


def test_neither_table_nor_gate_nor_a_later_run_mixes_them(bench, clips, runs):
    every, some = runs
    assert "PSNR-RGB every2" in bench("table", some, "--format", "md").out
    for words in (("table", every, some), ("compare", every, some), ("check", some, "--against", every)):
        answer = bench(*words)
        assert answer.code == 3 and ("protocol" in answer.err or "score_every" in answer.err), answer.err
    words = ("method=bicubic", "data=folder", f"data.gt={clips}", "data.clips=[pan]", "timing=once", "metrics=[psnr]")
    answer = bench("run", *words, f"out={some}")
    assert answer.code == 3 and "measured with other options (score_every)" in answer.err
    assert "score_every=0: at least 1 is needed" in bench("run", *words, "score_every=0").err
