"""JPEG and video codecs in memory: same frames, same colours, same bits each time."""

import av
import numpy as np
import pytest

from frames.degradations import codec


def test_jpeg_and_codecs_keep_colours_and_frames_in_order():
    clip = np.empty((9, 34, 50, 3), np.uint8)  # not multiples of a macroblock
    for t in range(9):
        clip[t] = (40 + 20 * t, 200 - 20 * t, 90)
    assert np.abs(codec.jpeg(clip[0], 95).astype(int) - clip[0]).max() < 6
    for encoder in codec.DECODERS:
        out = codec.video(clip, encoder, 100_000, fps=1).astype(int)
        assert np.abs(out - clip).mean() < 4, encoder
    with pytest.raises(ValueError, match="even"):
        codec.video(clip[:, :33], "mpeg4", 1000)


def test_a_lower_rate_is_a_worse_picture(photo):
    clip = np.stack([photo[100 + t : 228 + t, 100:228] for t in range(5)])
    for encoder in ("libx264", "mpeg4"):
        worse, better = (
            np.abs((codec.video(clip, encoder, bits, fps=1).astype(int) - clip).mean(axis=-1)).mean()
            for bits in (2_000, 100_000)
        )
        assert worse > 1.1 * better, encoder  # of grey: what halving the chroma loses is the same at any rate


def test_x264_gives_the_same_bits_at_sizes_that_once_did_not(photo):
    for height, width in ((202, 300), (40, 58)):
        clip = np.stack([photo[t : height + t, 100 : 100 + width] for t in range(9)])
        assert all(
            np.array_equal(codec.video(clip, "libx264", 20_000), codec.video(clip, "libx264", 20_000)) for _ in "ab"
        )


def test_a_constant_rate_factor_is_that_of_a_film(photo, tmp_path):
    """At another frame rate x264 spends other bits: at one frame a second, 25 frames of CRF 28 looked like 19."""
    clip = np.stack([photo[2 * t : 96 + 2 * t, 100:228] for t in range(9)])
    with av.open(tmp_path / "film.mp4", "w") as film:
        stream = film.add_stream("libx264", 25, width=128, height=96, options={"crf": "28", "x264-params": "mbtree=0"})
        stream.thread_count = 1
        for frame in [*map(av.VideoFrame.from_ndarray, clip), None]:
            film.mux(stream.encode(frame))
    with av.open(tmp_path / "film.mp4") as film:
        expected = np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)])
    assert np.array_equal(codec.video(clip, "libx264", crf=28), expected)
