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


@pytest.mark.parametrize("name", ["a.mp4", "a.mpg"])
def test_a_window_without_frames_is_empty(encode, name):
    index = index_video(encode(name, codec="libx264" if name == "a.mp4" else "mpeg2video"))
    assert [list(read_window(index, start, count)) for start, count in ((0, 0), (7, 0), (50, 5))] == [[], [], []]


GROUPS = "keyint=12:min-keyint=12:scenecut=0:bframes=3"


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {"x264-params": f"open-gop=1:{GROUPS}"}),
        ("libx265", {"x265-params": f"open-gop=1:{GROUPS}:log-level=error"}),
        ("libx264", {"x264-params": "intra-refresh=1:keyint=12"}),
    ],
)
def test_windows_begin_right_where_key_frames_are_no_beginning(encode, codec, options):
    path = encode("a.mp4", codec=codec, options=options)
    frames, index = list(read_video(path)), index_video(path)
    for start in range(1, 50):
        window = list(read_window(index, start, 2))
        assert len(window) == min(2, 50 - start)
        assert all(np.array_equal(a, b) for a, b in zip(window, frames[start:])), start


def test_a_damaged_window_is_named(encode):
    path = encode("a.mp4")
    index = index_video(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="a.mp4: not a readable video"):
        list(read_window(index, 0, 5))
