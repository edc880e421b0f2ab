"""NIQE against the authors' MATLAB program."""

import numpy as np
import pytest

from bench.metrics.registry import build

# Printed for the distorted TID2013 pictures by the authors' MATLAB release, as IQA-PyTorch's calibration table
# (ResultsCalibra/results_official.csv) quotes it.
MATLAB = {
    "I03": 15.7536293917814,
    "I04": 3.65492152353770,
    "I06": 3.23547743716998,
    "I08": 3.18403333858339,
    "I19": 8.63519663862637,
}
# In saturated areas MATLAB's figure hangs on the rounding of its filter (see the module); I04 has none.
TOLERANCE = {"I04": 1e-9}


@pytest.mark.parametrize("name", MATLAB)
def test_niqe_gives_matlabs_value(tid, name):
    assert build("niqe").score(tid[name][0]) == pytest.approx(MATLAB[name], rel=TOLERANCE.get(name, 6e-3))


def test_niqe_looks_at_no_reference(tid):
    metric, (sr, gt) = build("niqe"), tid["I06"]
    assert metric.score(sr, gt) == metric.score(sr, None)
    assert not metric.kind.reference and metric.kind.better == "lower"


def test_frames_without_blocks_or_structure_are_refused():
    with pytest.raises(ValueError, match="90x200 is too small"):
        build("niqe").score(np.zeros((200, 90, 3), np.uint8))
    with pytest.raises(ValueError, match="NIQE needs two blocks of 96x96 with structure; this frame of 192x192 has 0"):
        build("niqe").score(np.zeros((192, 192, 3), np.uint8))
