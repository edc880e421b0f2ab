"""The content-addressed store: complete entries or none, reuse by key, pruning by rule."""

import os
import time

import numpy as np
import pytest

from bench.store.store import Store


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (6, 8, 3), dtype=np.uint8) for _ in range(3)]


def test_frames_come_back_bit_by_bit(tmp_path, frames):
    store = Store(tmp_path)
    store.keep_prediction("k", frames, "digest")
    found = store.prediction("k")
    assert (found.sr_sha256, found.frames) == ("digest", 3)
    assert all(np.array_equal(a, b) for a, b in zip(found, frames, strict=True))
    assert store.prediction("other") is None


def test_a_crash_while_writing_leaves_no_entry_and_no_rest(tmp_path, frames):
    def breaking():
        yield frames[0]
        raise RuntimeError("killed")

    store = Store(tmp_path)
    with pytest.raises(RuntimeError):
        store.keep_prediction("k", breaking(), "digest")
    assert store.prediction("k") is None and not list((tmp_path / "predictions").iterdir())


def test_keeping_again_replaces(tmp_path, frames):
    store = Store(tmp_path)
    store.keep_prediction("k", frames, "one")
    store.keep_prediction("k", frames[:1], "two")
    assert (store.prediction("k").sr_sha256, store.prediction("k").frames) == ("two", 1)


def test_times_and_scores_by_key(tmp_path):
    store = Store(tmp_path)
    store.keep_times("t", {"a": 1})
    store.keep_scores("s", {"frames": [1.5, float("inf")]})
    assert store.times("t") == {"a": 1} and store.scores("s") == {"frames": [1.5, float("inf")]}
    assert store.times("s") is None


def test_a_damaged_entry_counts_as_absent(tmp_path):
    store = Store(tmp_path)
    store.keep_scores("s", {"frames": [1.5]})
    (tmp_path / "scores" / "s.json").write_text('{"frames": [1.')
    assert store.scores("s") is None


def test_prune_removes_what_is_old_and_what_crashes_left(tmp_path, frames):
    store = Store(tmp_path)
    store.keep_prediction("old", frames, "d")
    store.keep_prediction("new", frames, "d")
    store.keep_scores("old", {"frames": []})
    (tmp_path / "predictions" / ".tmp-left").mkdir()
    month_ago = time.time() - 40 * 86400
    for entry in ("predictions/old", "scores/old.json"):
        os.utime(tmp_path / entry, (month_ago, month_ago))
    planned = store.prune(30, dry_run=True)
    assert planned[0] == 3 and store.prediction("new")
    assert store.prune(30) == planned
    assert sorted(p.name for p in (tmp_path / "predictions").iterdir()) == ["new"]


def test_a_store_of_nothing_keeps_nothing(frames):
    store = Store(None)
    store.keep_prediction("k", frames, "d")
    store.keep_scores("s", {"frames": [1.0]})
    assert store.prediction("k") is None and store.scores("s") is None and store.prune(0) == (0, 0)
