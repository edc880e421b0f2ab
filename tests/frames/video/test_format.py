"""Properties of a video beside its pixels: time stamps, shape of pixels, light, orientation; kept or known."""

import errno
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from frames.codecs import Encoding
from frames.destination import lost_properties
from frames.errors import one_line
from frames.source import open_source
from frames.video import read_timed, read_video, video_info, write_video
from frames.video.info import Format
from frames.video.segments import SegmentWriter

UNITY = (1, 0, 0, 1)
MATRICES = {  # a, b, c, d of the track's display matrix -> what is to be seen
    (1, 0, 0, 1): lambda frame: frame,
    (-1, 0, 0, 1): lambda frame: frame[:, ::-1],
    (1, 0, 0, -1): lambda frame: frame[::-1],
    (-1, 0, 0, -1): lambda frame: frame[::-1, ::-1],
    (0, 1, -1, 0): lambda frame: np.rot90(frame, -1),
    (0, -1, 1, 0): lambda frame: np.rot90(frame),
    (0, 1, 1, 0): lambda frame: frame.transpose(1, 0, 2),
    (0, -1, -1, 0): lambda frame: frame.transpose(1, 0, 2)[::-1, ::-1],
}


def box(a: int, b: int, c: int, d: int) -> bytes:
    """The nine numbers of a tkhd box, 16.16 fixed point."""
    numbers = (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    return b"".join((number & 0xFFFFFFFF).to_bytes(4, "big") for number in numbers)


@pytest.mark.parametrize("matrix", MATRICES)
def test_turned_and_mirrored_tracks_are_read_upright(tmp_path, pattern, matrix):
    path = tmp_path / "a.mp4"
    frames = pattern(2)
    write_video(path, frames, 25, lossless=True)
    data = path.read_bytes()
    at = data.index(box(*UNITY), data.index(b"tkhd"))
    path.write_bytes(data[:at] + box(*matrix) + data[at + 36 :])
    expected = MATRICES[matrix](frames[0])
    assert (video_info(path).height, video_info(path).width) == expected.shape[:2]
    assert np.array_equal(next(read_video(path)), expected)


TIMES = [Fraction(t, 1000) for t in (0, 40, 80, 560, 600, 1000, 2480)]


def write_like(path: Path, frames: list[np.ndarray], like: Format, times: list[Fraction] = TIMES) -> None:
    """Write a video as an upscaled one is: with times in seconds, and what is kept of the input's format."""
    writer = SegmentWriter(path, Encoding("h264", quality=12), frames[0].shape[:2], Fraction(25), like)
    for frame, time in zip(frames, times):
        writer.add(frame, round(time / like.time_base))
    writer.close()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_a_variable_frame_rate_is_read_and_written_as_it_is(encode, tmp_path, pattern, suffix):
    given = encode(f"given{suffix}", frames=7, times=TIMES)
    read = list(read_timed(given))
    assert [frame.time for frame in read] == pytest.approx(TIMES, abs=1e-3)
    out = tmp_path / f"out{suffix}"
    info = video_info(given)
    assert info.damage == ""
    write_like(out, [frame.pixels for frame in read], info.format, [frame.time for frame in read])
    assert [frame.time for frame in read_timed(out)] == pytest.approx(TIMES, abs=1e-3)
    assert video_info(out).frames == 7


def test_times_that_stand_still_follow_at_the_average_rate(tmp_path, pattern):
    write_video(tmp_path / "a.mkv", pattern(4), 25)
    times = [frame.time for frame in read_timed(tmp_path / "a.mkv")]
    assert all(later > earlier for earlier, later in zip(times, times[1:]))


def test_the_shape_of_pixels_is_kept(encode, tmp_path, pattern):
    given = encode("given.mp4", frames=3, sample_aspect_ratio=Fraction(16, 11))
    assert video_info(given).format.pixel_aspect == Fraction(16, 11)
    write_like(tmp_path / "out.mkv", pattern(3), video_info(given).format)
    assert video_info(tmp_path / "out.mkv").format.pixel_aspect == Fraction(16, 11)


def test_pixels_of_a_turned_picture_are_turned(encode):
    path = encode("a.mp4", frames=3, sample_aspect_ratio=Fraction(16, 11))
    data = path.read_bytes()
    places = [at for at in range(len(data)) if data.startswith(box(*UNITY)[:8], at)]
    at = next(at for at in places if at > data.index(b"tkhd"))
    path.write_bytes(data[:at] + box(0, 1, -1, 0) + data[at + 36 :])
    assert video_info(path).format.pixel_aspect == Fraction(11, 16)


def test_the_light_of_hdr_is_known_and_its_tags_are_kept(encode, tmp_path):
    given = encode(
        "given.mkv", frames=3, pix_fmt="yuv420p10le", color_primaries=9, color_trc=16, colorspace=9, color_range=1
    )
    form = video_info(given).format
    assert (form.bits, form.primaries, form.transfer) == (10, 9, 16)
    frames = list(read_video(given))
    write_like(tmp_path / "out.mp4", frames, form)
    with av.open(str(tmp_path / "out.mp4")) as container:
        first = next(container.decode(video=0))
        assert (first.color_primaries, first.color_trc, first.colorspace, first.color_range) == (9, 16, 9, 1)
    for codec in ("ffv1", "prores"):
        writer = SegmentWriter(tmp_path / "out.mkv", Encoding(codec, bits=10), (48, 64), Fraction(25), form)
        writer.add(frames[0], 0)
        writer.close()
        with av.open(str(tmp_path / "out.mkv")) as container:
            first = next(container.decode(video=0))
            assert (first.color_primaries, first.color_trc) == (9, 16)
    again = next(read_video(tmp_path / "out.mp4"))
    assert np.abs(again.astype(float) - frames[0]).mean() < 2


def test_colours_that_are_not_read_are_one_line(encode):
    given = encode("ycgco.mp4", frames=3, pix_fmt="yuv444p", colorspace=8)
    with pytest.raises(ValueError, match=r"ycgco.mp4: its colours \(yuv444p, matrix 8 of ITU-T H.273\) are not"):
        next(read_timed(given))


def test_untagged_colours_are_tagged_as_they_were(tmp_path, pattern):
    write_video(tmp_path / "out.mp4", pattern(2), 25)
    with av.open(str(tmp_path / "out.mp4")) as container:
        first = next(container.decode(video=0))
        assert (first.color_primaries, first.color_trc, first.colorspace) == (1, 1, 1)


def test_sound_transparency_and_interlacing_are_known(encode):
    assert video_info(encode("plain.mp4", frames=3)).format.sound == 0
    assert video_info(encode("loud.mp4", frames=3, sound=True)).format.sound == 1
    assert video_info(encode("clear.mkv", frames=3, codec="ffv1", pix_fmt="yuva420p")).format.alpha
    assert video_info(encode("clear.webm", frames=3, codec="libvpx-vp9", pix_fmt="yuva420p")).format.alpha
    interlaced = encode("old.mpg", frames=6, codec="mpeg2video", flags=1 << 18 | 1 << 29)
    assert video_info(interlaced).format.interlaced
    assert not video_info(encode("new.mpg", frames=6, codec="mpeg2video")).format.interlaced


def test_interlacing_that_begins_later_is_known(encode, tmp_path):
    old = encode("old.m2v", frames=6, codec="mpeg2video", flags=1 << 18 | 1 << 29).read_bytes()
    new = encode("new.m2v", frames=6, codec="mpeg2video").read_bytes()
    for name, parts, interlaced in (("mixed", (new, old), True), ("mostly.new", (*[new] * 20, old), False)):
        (tmp_path / f"{name}.m2v").write_bytes(b"".join(parts))
        assert video_info(tmp_path / f"{name}.m2v").format.interlaced == interlaced


def test_what_lies_beside_the_pixels_is_known(encode, tmp_path):
    plain = encode("plain.m2v", frames=3, codec="mpeg2video").read_bytes()
    captions = b"\0\0\1\xb2GA94\3\x41\xff\xfc\x80\x80\xff"  # user data as ATSC A/53 puts them before the slices
    (tmp_path / "tv.m2v").write_bytes(plain.replace(b"\0\0\1\1", captions + b"\0\0\1\1"))
    assert video_info(tmp_path / "plain.m2v").format.beside_pixels == ()
    assert video_info(tmp_path / "tv.m2v").format.beside_pixels == ("closed captions",)
    source = open_source(tmp_path / "tv.m2v")
    for output in ("out.mkv", "folder"):
        assert any("closed captions" in line for line in lost_properties(source, Path(output)))


@pytest.mark.parametrize("fps", [0, -1, 1e9])
def test_rates_that_cannot_be_written_are_refused(tmp_path, pattern, fps):
    with pytest.raises(ValueError, match="out.mp4: .*frames a second"):
        write_video(tmp_path / "out.mp4", pattern(2), fps)


def test_frames_larger_than_h264_are_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="out.mp4: 16386x2 is more than H.264 holds"):
        write_video(tmp_path / "out.mp4", [np.zeros((2, 16386, 3), np.uint8)], 25)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named_with_its_remedy(tmp_path, pattern, monkeypatch):
    def full(*_args, **_kwargs):
        raise av.error.OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("frames.video.encode.av.open", full)
    with pytest.raises(OSError) as caught:
        write_video(tmp_path / "a.mp4", pattern(2), 25)
    assert one_line(caught.value).startswith(f"{tmp_path}/a.mp4: No space left on device; free some space")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
@pytest.mark.parametrize("name", [b"caf\xe9", "日本".encode(), b"a:b|c", b"concat:x", b"img%03d", b"-y"])
def test_any_name_of_a_file_is_written_and_read(tmp_path, pattern, monkeypatch, name, suffix):
    monkeypatch.chdir(tmp_path)
    path = Path(os.fsdecode(name) + suffix)
    write_video(path, pattern(3), 25)
    assert video_info(path).frames == len(list(read_video(path))) == 3
    assert os.listdir(tmp_path) == [path.name]
