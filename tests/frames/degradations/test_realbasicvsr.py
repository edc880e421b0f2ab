"""The second-order degradation: repeatable, of the right size, its last operations in random order."""

import numpy as np
import pytest

from frames.degradations.operators import Codec
from frames.degradations.realbasicvsr import RealBasicVSR, SecondStage


def test_the_last_two_operations_come_in_either_order(monkeypatch):
    seen = []
    monkeypatch.setattr(Codec, "__call__", lambda self, clip, rng: seen.append(clip.shape[1:3]) or clip)
    for seed in range(40):
        SecondStage()(np.full((1, 80, 80, 3), 99, np.float32), np.random.default_rng(seed), (20, 20))
    before = sum(size != (20, 20) for size in seen)
    assert 8 <= before <= 32


def test_it_repeats_itself_over_many_seeds(pans):
    degrade, clip = RealBasicVSR(), pans[0]
    for seed in range(12):
        first, again = (degrade(clip, np.random.default_rng(seed)) for _ in range(2))
        assert first.shape == (5, 16, 24, 3) and first.dtype == np.uint8
        assert np.array_equal(first, again)
        assert abs(first.mean() - clip.mean()) < 0.15 * 127.5  # brightness stays


def test_odd_lr_sizes_are_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        RealBasicVSR()(np.zeros((1, 36, 64, 3), np.uint8), np.random.default_rng(0))
