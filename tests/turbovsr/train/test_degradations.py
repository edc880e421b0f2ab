"""Degradations by configuration: each is seeded and gives LR of a quarter of the size; mistakes are one line."""

import numpy as np
import pytest

from frames.errors import UserError
from turbovsr.train.composition import compose_plain, members
from turbovsr.train.config import build_config, degradation


@pytest.mark.parametrize("name", members("degradation"))
@pytest.mark.parametrize("frames", [1, 5])
def test_every_configured_degradation_is_seeded_and_gives_lr_of_a_quarter_of_the_size(name, frames):
    degrade = degradation(compose_plain([f"degradation={name}"])["degradation"])
    rows, columns = np.mgrid[:64, :96]
    clip = np.stack([np.stack([2 * rows + t, columns + 40, rows ^ columns], axis=-1) for t in range(frames)])
    clip = clip.astype(np.uint8)
    lr = degrade(clip, np.random.default_rng(1))
    assert lr.shape == (frames, 16, 24, 3) and lr.dtype == np.uint8
    assert np.array_equal(lr, degrade(clip, np.random.default_rng(1)))
    if name in ("random_blur", "realbasicvsr"):
        assert not np.array_equal(lr, degrade(clip, np.random.default_rng(2)))


@pytest.mark.parametrize(
    "words, message",
    [
        (["degradation.first.jpeg.quality=[0,95]"], "jpeg.quality"),
        (["degradation.second.resize.odds=[0.5,0.5,0.5]"], "add up to 1"),
        (["degradation.first.codec.encoders=[libx265]"], "libx264"),
        (["degradation.first.blur.sgima=[1,2]"], "did you mean 'sigma'"),
        (["degradation.first.noise.sigma=3"], "wants a list"),
    ],
)
def test_wrong_parameters_are_one_clear_error(words, message):
    plain = compose_plain(["recipe=trial", "data=x", "out=y", "degradation=realbasicvsr", *words])
    with pytest.raises(UserError, match=message) as caught:
        build_config(plain)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"_target_": "nowhere.Nothing"}, "cannot find 'nowhere.Nothing'"),
        ({"_target_": "os.getcwd"}, "not a dataclass with a scale"),
        ({"_target_": "frames.degradations.ClipBicubic", "scale": 2}, "scale must be 4"),
    ],
)
def test_a_target_that_is_no_degradation_is_one_clear_error(values, message):
    with pytest.raises(UserError, match=message):
        degradation(values)
