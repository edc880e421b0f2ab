"""`python -m bench prune`: refuses what is no store and days that are none, and says what it keeps."""

import numpy as np
import pytest

from bench.store.keys import frames_digest
from bench.store.store import Store

KEY = "a" * 64


@pytest.fixture
def store(tmp_path):
    frames = [np.zeros((4, 4, 3), np.uint8)]
    store = Store(tmp_path / "kept")
    store.keep_prediction(KEY, frames, frames_digest(frames))
    return store


@pytest.mark.parametrize("days", ["nan", "-5", "inf", "x"])
def test_days_that_are_none_are_refused(bench, store, days):
    answer = bench("prune", "--store", store.root, f"--days={days}")
    assert answer.code == 3 and "days" in answer.err and store.prediction(KEY)


def test_a_folder_that_is_no_store_is_refused(bench, tmp_path):
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "my_thesis.xlsx").write_text("mine")
    answer = bench("prune", "--store", tmp_path, "--days", "0")
    assert answer.code == 3 and "no store" in answer.err and (tmp_path / "scores" / "my_thesis.xlsx").exists()


def test_what_is_free_is_removed_and_what_a_run_holds_is_said_to_be_kept(bench, store):
    assert "1 entries" in bench("prune", "--store", store.root, "--days", "0", "--dry-run").out
    with store.in_use():
        answer = bench("prune", "--store", store.root, "--days", "0")
        assert answer.code == 0 and "0 entries" in answer.out and "used in the last hour was kept" in answer.out
    assert "1 entries" in bench("prune", "--store", store.root, "--days", "0").out and store.prediction(KEY) is None


def test_an_absent_store_holds_nothing(bench, tmp_path):
    answer = bench("prune", "--store", tmp_path / "none")
    assert answer.code == 0 and "0 entries" in answer.out
