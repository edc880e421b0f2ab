"""Comparison strips: text stays beside the frame that it belongs to."""

import numpy as np
import pytest

from bench.report.lettering import length
from bench.report.page.regions import Box
from bench.report.strip import EDGE, LEAST, TEXT, Version, _captioned, _shown_width, strip

FRAME = np.full((64, 96, 3), 128, np.uint8)


def test_a_name_wider_than_its_crop_moves_the_next_one_aside():
    names = ["turbovsr[weights=one,steps=16,use_latent=false]", "turbovsr[weights=two,steps=16,use_latent=false]"]
    box: Box = (0, 0, 48, 32)
    short, long = (strip([Version(n, FRAME) for n in each], FRAME, box, ["city"]) for each in (["a", "b"], names))
    assert long.shape[0] == short.shape[0]
    assert long.shape[1] - 2 * EDGE > sum(length([(name, True)], TEXT) for name in names) > short.shape[1] / 2
    crops = (long == 128).all(axis=2)[EDGE + 5]  # a row through both crops: grey where they are
    starts = np.flatnonzero(crops[1:] & ~crops[:-1]) + 1
    assert starts[-1] - starts[-2] > length([(names[0], True)], TEXT)


def test_a_name_far_wider_than_its_crop_stands_in_several_lines():
    box: Box = (0, 0, 48, 32)
    names = ["turbovsr[weights=" + "x" * 300 + "]", "b"]
    short, long = (strip([Version(n, FRAME) for n in each], FRAME, box, ["city"]) for each in (["a", "b"], names))
    assert long.shape[0] > short.shape[0] and long.shape[1] < 2 * short.shape[1]


def test_no_line_of_a_caption_is_wider_than_the_frame_above_it():
    caption = ["sample, city, frame 0", " / ".join(f"metric {index} [dB]" for index in range(9))]
    for room in (300, 400):
        told = _captioned(caption, FRAME, room)
        assert len(told) > len(caption)
        assert max(length([(line, False)], TEXT) for line in told) <= _shown_width(FRAME, room - 18 * len(told))


@pytest.mark.parametrize(
    "box, shape", [((0, 0, 96, 1), (64, 96)), ((0, 0, 80, 4), (64, 96)), ((0, 0, 27, 9), (96, 54))]
)
def test_flat_crops_and_upright_frames_leave_room_for_the_whole_frame(box, shape):
    frame = np.full((*shape, 3), 128, np.uint8)
    scores = tuple((f"metric {index} 0.1234", False) for index in range(9))
    made = strip(
        [Version("a", frame, scores)], frame, box, ["city, frame 0", " / ".join(f"metric {i}" for i in range(9))]
    )
    grey = (made == 128).all(axis=2)
    assert grey[:, EDGE + 2].sum() >= LEAST - 8  # the box's outline is drawn on it
