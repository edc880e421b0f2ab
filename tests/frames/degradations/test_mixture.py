"""Training's mixture: each kind as often as its odds say, clean clips among them."""

import numpy as np
import pytest

from frames.degradations import Bicubic, codec
from frames.degradations.mixture import Mixture, Shared


def test_clean_clips_are_bicubic(pans):
    lr = Mixture(odds=(1, 0, 0))(pans[0], np.random.default_rng(0))
    assert np.array_equal(lr, np.stack([Bicubic(4)(frame) for frame in pans[0]]))


def test_each_kind_comes_about_as_often_as_its_odds(pans, monkeypatch):
    kinds = []
    monkeypatch.setattr(Shared, "__call__", lambda self, clip, rng: kinds.append("shared") or clip)
    monkeypatch.setattr(
        "frames.degradations.realbasicvsr.RealBasicVSR.__call__", lambda self, clip, rng: kinds.append("heavy") or clip
    )
    rng = np.random.default_rng(0)
    for _ in range(200):
        Mixture(odds=(0.2, 0.3, 0.5))(pans[0][:1, :16, :16], rng)
    assert 40 < kinds.count("shared") < 80 and 80 < kinds.count("heavy") < 120 and len(kinds) < 180


def test_shared_repeats_by_seed(pans):
    degrade = Shared()
    for seed in range(6):
        first, again = (degrade(pans[0], np.random.default_rng(seed)) for _ in "ab")
        assert first.shape == (5, 16, 24, 3) and np.array_equal(first, again)


@pytest.mark.parametrize("kind, calls", [(0, []), (1, ["jpeg"]), (2, ["video"]), (3, ["jpeg", "video"])])
def test_shared_clips_are_compressed_as_the_odds_say(pans, monkeypatch, kind, calls):
    found = []

    def noted(name, compress):
        def call(*arguments, **options):
            found.append(name)
            return compress(*arguments, **options)

        monkeypatch.setattr(codec, name, call)

    noted("jpeg", codec.jpeg), noted("video", codec.video)
    odds = [0.0] * 4
    odds[kind] = 1.0
    Shared(odds=tuple(odds))(pans[0][:1], np.random.default_rng(0))
    assert found == calls


@pytest.mark.parametrize("options", [{"odds": (0.5, 0.5, 0.5)}, {"scale": 2}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match="odds|scale"):
        Mixture(**options)
