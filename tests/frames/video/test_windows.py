"""Random access to the frames of a video gives what reading in order gives."""

import numpy as np
import pytest

from frames.video import index_video, read_video, read_window


@pytest.mark.parametrize(
    ("name", "codec", "sought"),
    [("a.mp4", "libx264", True), ("a.mkv", "libx264", True), ("a.mpg", "mpeg2video", False)],
)
def test_windows_are_the_frames_of_a_sequential_reading(encode, name, codec, sought):
    path = encode(name, codec=codec)
    frames = list(read_video(path))
    index = index_video(path)
    assert (index.frames, index.height, index.width, index.stamps is not None) == (50, 48, 64, sought)
    for start, count in ((0, 5), (7, 20), (33, 9), (45, 20)):
        window = list(read_window(index, start, count))
        assert len(window) == min(count, 50 - start)
        assert all(np.array_equal(a, b) for a, b in zip(window, frames[start:]))


def test_a_damaged_window_is_named(encode):
    path = encode("a.mp4")
    index = index_video(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="a.mp4: not a readable video"):
        list(read_window(index, 0, 5))
