"""The sample set as real-world video: the reference's LR frames, or a line that they are others."""

import logging

import numpy as np
import pytest

from bench.datasets import sample_real
from bench.datasets.sample import Sample
from frames.degradations.seeded import once


def clip(**options):
    degradation = once(name="once", scale=4, **options.pop("degradation", {})).of_set("sample_real")
    options = {"scale": 4, "clips": ["chelsea"], "degradation": degradation, **options}
    return sample_real.SampleReal(name="sample_real", domain="vimeo", **options)


def test_lr_frames_are_made_by_the_degradation_of_the_samples_gt():
    (found,) = clip().clips()
    (plain,) = Sample(name="s", domain="", scale=4, degradation=once(name="once", scale=4), clips=["chelsea"]).clips()
    assert found.lr_origin == sample_real.ORIGIN and found.lr_size == plain.lr_size
    assert np.array_equal(next(found.gt()), next(plain.gt()))


def test_other_digests_are_said_once_and_by_verify(monkeypatch, caplog):
    for name in ("chelsea", "coffee"):
        monkeypatch.setitem(sample_real.DIGESTS, name, "0" * 64)
    with caplog.at_level(logging.WARNING):
        for found in clip(clips=["chelsea", "coffee"]).clips():
            list(found.lr())
            list(found.lr())
    (line,) = caplog.messages
    assert "LR frames of clip coffee" in line and "\n" not in line
    assert [line for line in clip().problems() if "not those of the reference" in line]


@pytest.mark.parametrize("options", [{"degradation": {"seed": 1}}, {"degradation": {"noise": 3}}])
def test_another_recipe_has_no_reference(options):
    (found,) = clip(**options).clips()
    assert not isinstance(found._lr, sample_real.Compared)
