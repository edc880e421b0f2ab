"""Inputs of each kind: of the LR size, the same for the same seed, and other than a clean one."""

import numpy as np
import pytest
from skimage import data

from studies.input_kinds import DEGRADED, PROCESSED, clean_otherwise, degraded

GT = np.stack([data.astronaut()[t : t + 256, 64:320] for t in (60, 64)])


@pytest.mark.parametrize("kind", ("clean", *DEGRADED, *PROCESSED))
def test_inputs_of_a_kind_are_of_the_lr_size_and_follow_their_seed(kind):
    first, again = (degraded(kind, GT, np.random.default_rng(3)) for _ in range(2))
    assert first.shape == (2, 64, 64, 3) and first.dtype == np.uint8 and (first == again).all()
    clean = degraded("clean", GT, np.random.default_rng(0))
    assert (first == clean).all() == (kind == "clean")


def test_other_clean_inputs_are_near_the_bicubic_ones():
    clean = degraded("clean", GT, np.random.default_rng(0)).astype(float)
    for seed in range(4):
        other = clean_otherwise(GT, np.random.default_rng(seed))
        assert other.shape == clean.shape and np.abs(other - clean).mean() < 6
