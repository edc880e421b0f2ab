"""Videos: colours come out as the tags say, frames are counted exactly, what is written reads back."""

import av
import numpy as np
import pytest

from frames.video import VideoInfo, read_video, video_info, write_video

# Luma weights of red and blue, ITU-R BT.601-7, BT.709-6, BT.2020-2; and the code of the matrix in H.273.
MATRICES = {"bt601": (0.299, 0.114, 6), "bt709": (0.2126, 0.0722, 1), "bt2020": (0.2627, 0.0593, 9)}
UNTAGGED = 2
KNOWN = [(16, 128, 128), (235, 128, 128), (128, 128, 128), (81, 90, 240), (145, 54, 34), (41, 240, 110)]
KNOWN += [tuple(int(value) for value in colour) for colour in np.random.default_rng(0).integers(60, 190, (8, 3))]


def rgb_by_formula(yuv, matrix: str, full: bool) -> np.ndarray:
    """Y'CbCr to R'G'B' by the definition in the recommendations."""
    red, blue, _ = MATRICES[matrix]
    y, u, v = np.asarray(yuv, float)
    if full:
        y, u, v = y / 255, (u - 128) / 255, (v - 128) / 255
    else:
        y, u, v = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    return np.clip(np.array([r, (y - red * r - blue * b) / (1 - red - blue), b]) * 255, 0, 255)


def write_yuv(path, codec: str, matrix: int, colour_range: int, size=(48, 64)) -> None:
    """One flat frame a known colour, without loss, tagged as asked."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"qp": "0"} if codec == "libx264" else {}
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, colour_range
        for colour in KNOWN:
            frame = av.VideoFrame(size[1], size[0], "yuv420p")
            for plane, value in zip(frame.planes, colour):
                plane.update(bytes([value]) * plane.buffer_size)
            frame.colorspace, frame.color_range = matrix, colour_range
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def worst_error(path, matrix: str, full: bool) -> float:
    frames = list(read_video(path))
    assert len(frames) == len(KNOWN)
    return max(np.abs(f - rgb_by_formula(c, matrix, full)).max() for f, c in zip(frames, KNOWN))


@pytest.mark.parametrize("codec", ["libx264", "ffv1"])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
def test_tagged_colours_follow_the_formula(tmp_path, matrix, full, codec):
    path = tmp_path / "a.mkv"
    write_yuv(path, codec, MATRICES[matrix][2], 2 if full else 1)
    assert worst_error(path, matrix, full) <= 1
    other = "bt601" if matrix != "bt601" else "bt709"
    assert worst_error(path, other, full) > 5  # the colours do tell the matrices apart
    assert worst_error(path, matrix, not full) > 5


def test_untagged_is_read_as_bt601_limited(tmp_path):
    write_yuv(tmp_path / "a.mkv", "libx264", UNTAGGED, 0)
    assert worst_error(tmp_path / "a.mkv", "bt601", False) <= 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_lossless_video_reads_back_bit_for_bit(tmp_path, suffix):
    frames = [np.random.default_rng(i).integers(0, 256, (31, 45, 3), dtype=np.uint8) for i in range(5)]
    path = tmp_path / f"a{suffix}"
    write_video(path, iter(frames), fps=24, lossless=True)
    assert video_info(path) == VideoInfo(width=45, height=31, frames=5, fps=24.0)
    assert all(np.array_equal(a, b) for a, b in zip(read_video(path), frames, strict=True))
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("size", [(64, 96), (63, 95)])
def test_written_video_is_tagged_and_close(tmp_path, size, pattern):
    frames = pattern(6, *size)
    write_video(tmp_path / "a.mp4", frames, fps=30000 / 1001)
    with av.open(str(tmp_path / "a.mp4")) as container:
        first = next(container.decode(video=0))
        assert (first.colorspace, first.color_range, first.color_primaries, first.color_trc) == (1, 1, 1, 1)
    assert video_info(tmp_path / "a.mp4").fps == pytest.approx(30000 / 1001)
    for ours, truth in zip(read_video(tmp_path / "a.mp4"), frames, strict=True):
        assert ours.flags.c_contiguous
        error = ours.astype(float) - truth
        assert np.abs(error).mean() < 1.5
        assert np.abs(error.mean(axis=(0, 1))).max() < 1.5  # a wrong matrix or range shifts by 5 and more


def test_window_of_frames(tmp_path, pattern):
    frames = pattern(9, 32, 48)
    write_video(tmp_path / "a.mkv", frames, 25, lossless=True)
    window = list(read_video(tmp_path / "a.mkv", 3, 6))
    assert [np.array_equal(a, b) for a, b in zip(window, frames[3:6], strict=True)] == [True] * 3
    with pytest.raises(ValueError, match="a.mkv: it ends after 9 frames, 12 were asked for"):
        list(read_video(tmp_path / "a.mkv", 3, 12))


def test_frames_are_counted_where_the_container_does_not_say(asset):
    assert video_info(asset("sample/city.mpg")) == VideoInfo(width=720, height=405, frames=190, fps=25.0)


def test_broken_videos_are_one_line(tmp_path, pattern):
    (tmp_path / "text.mp4").write_bytes(b"hello world" * 100)
    write_video(tmp_path / "whole.mp4", pattern(3, 32, 48), 25)
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "whole.mp4").read_bytes()[:300])
    for name in ("text.mp4", "cut.mp4"):
        for read in (video_info, lambda path: list(read_video(path))):
            with pytest.raises(ValueError, match=f"{name}: not a readable video") as caught:
                read(tmp_path / name)
            assert "\n" not in str(caught.value)
    (tmp_path / "empty.mp4").touch()
    for name, reason in {"empty.mp4": "it is empty", "cut.mp4": "it is truncated, and"}.items():
        with pytest.raises(ValueError, match=f"{name}: not a readable video .{reason}"):
            video_info(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="gone.mp4: no such video"):
        list(read_video(tmp_path / "gone.mp4"))


def test_nothing_is_left_of_a_write_that_fails(tmp_path, pattern):
    with pytest.raises(ValueError, match="no frames"):
        write_video(tmp_path / "a.mp4", [], 25)
    with pytest.raises(ValueError, match="different sizes"):
        write_video(tmp_path / "a.mp4", [*pattern(1, 32, 48), *pattern(1, 32, 32)], 25)
    assert list(tmp_path.iterdir()) == []


def test_frames_larger_than_the_limit_are_not_decoded(tmp_path, monkeypatch):
    write_video(tmp_path / "clip.mp4", [np.zeros((32, 48, 3), np.uint8)] * 2, 24)
    monkeypatch.setenv("FRAMES_MAX_MEGAPIXELS", "0.001")
    with pytest.raises(ValueError, match="clip.mp4: 48x32 is more than the 0.001 Mpx"):
        next(read_video(tmp_path / "clip.mp4"))
