"""Pixels of 16 bits: what 10-bit videos hold goes in and out without loss."""

from fractions import Fraction

import av
import numpy as np
import pytest

from frames.codecs import Encoding
from frames.video import read_timed, read_video
from frames.video.decode import to_rgb
from frames.video.deep import scaled_down
from frames.video.encode import Encoder, _packed, created
from frames.video.info import Format

KR, KB = 0.2126, 0.0722  # BT.709


def waves(frames: int) -> list[np.ndarray]:
    y, x = np.mgrid[:64, :96] / 24
    return [
        ((np.stack([np.sin(x + t), np.cos(y - t), np.sin(x + y)], -1) * 0.45 + 0.5) * 65535).astype(np.uint16)
        for t in range(frames)
    ]


def write(path, frames, encoding):
    with created(path) as container:
        height, width = frames[0].shape[:2]
        form = Format(time_base=Fraction(1, 25))
        encoder = Encoder(container, encoding.settings(height, width), (height, width), Fraction(25), form, True)
        for time, frame in enumerate(frames):
            encoder.add(frame, time)
        encoder.finish()


@pytest.mark.parametrize("luma, blue, red", [(625, 518, 455), (451, 503, 600), (940, 512, 512), (64, 512, 512)])
def test_flat_10_bit_colours_are_those_of_the_recommendation(tmp_path, luma, blue, red):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p10le"
        stream.codec_context.colorspace = stream.codec_context.color_range = 1
        frame = av.VideoFrame(64, 48, "yuv420p10le")
        for plane, value in zip(frame.planes, (luma, blue, red)):
            plane.update(np.full(plane.buffer_size // 2, value, np.uint16).tobytes())
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    y, pb, pr = (luma - 64) / 876, (blue - 512) / 896, (red - 512) / 896
    r, b = y + 2 * (1 - KR) * pr, y + 2 * (1 - KB) * pb
    expected = np.clip([r, (y - KR * r - KB * b) / (1 - KR - KB), b], 0, 1) * 65535
    (given,) = read_timed(path, deep=True)
    assert given.pixels.dtype == np.uint16
    assert np.abs(given.pixels[24, 32] - expected).max() < 64  # one level of 10 bits
    write(tmp_path / "b.mkv", [given.pixels], Encoding("h264", quality=0, bits=10))
    with av.open(str(tmp_path / "b.mkv")) as container:
        planes = next(container.decode(video=0)).planes
        assert [int(np.frombuffer(plane, np.uint16)[5]) for plane in planes] == pytest.approx([luma, blue, red], abs=1)


@pytest.mark.parametrize("form, bits, tag", [("gray10le", 10, 0), ("gray16le", 16, 1), ("yuv420p12le", 12, 2)])
def test_full_range_and_grey_reach_white_and_do_not_pass_it(tmp_path, form, bits, tag):
    levels = np.linspace(0, (1 << bits) - 1, 32).astype(np.uint16)
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt, stream.codec_context.color_range = 16, 32, form, tag
        frame = av.VideoFrame(32, 16, form)
        for place, plane in enumerate(frame.planes):
            rows = np.full((plane.height, plane.line_size // 2), 1 << bits - 1, np.uint16)
            if place == 0:
                rows[:, :32] = levels
            plane.update(rows.tobytes())
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    (read,) = read_timed(tmp_path / "a.mkv", deep=True)
    assert np.abs(read.pixels[8] - levels[:, None] / levels[-1] * 65535).max() < 65536 / (1 << bits)


def test_the_xyz_of_cinema_is_of_full_range():
    grey = np.full((16, 32, 3), 32768, np.uint16)
    frame = av.VideoFrame.from_ndarray(grey, format="rgb48le").reformat(format="xyz12le")
    assert np.abs(to_rgb(frame, deep=True).astype(int) - grey).max() <= 32  # two levels of 12 bits


@pytest.mark.parametrize("bits, step", [(10, 32.5), (16, 0)])
def test_ffv1_keeps_what_its_bits_hold(tmp_path, bits, step):
    frames = waves(2)
    write(tmp_path / "a.mkv", frames, Encoding("ffv1", bits=bits))
    for given, read in zip(frames, read_timed(tmp_path / "a.mkv", deep=True), strict=True):
        assert np.abs(read.pixels.astype(float) - given).max() <= step
    shallow = [(frame // 257).astype(np.uint8) for frame in frames]
    write(tmp_path / "b.mkv", shallow, Encoding("ffv1", bits=8))
    assert all(np.array_equal(one, other) for one, other in zip(shallow, read_video(tmp_path / "b.mkv"), strict=True))


@pytest.mark.parametrize("codec, suffix", [("hevc", ".mp4"), ("prores", ".mov")])
def test_ten_bits_are_finer_than_eight(tmp_path, codec, suffix):
    ramp = np.linspace(20000, 24000, 96).astype(np.uint16)[None, :, None].repeat(64, 0).repeat(3, 2)
    write(tmp_path / f"a{suffix}", [ramp], Encoding(codec, bits=10, quality=4 if codec == "hevc" else None))
    (read,) = read_timed(tmp_path / f"a{suffix}", deep=True)
    assert len(np.unique(read.pixels[32, :, 1])) > 40  # 8 bits have 16 levels there
    assert np.abs(read.pixels.astype(float) - ramp).mean() < 128


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_short_hevc_says_when_each_frame_is_decoded(tmp_path, frames):
    """x265 leaves a single frame's decoding time to chance: one far off in the past, which MP4 holds or refuses."""
    packets = []

    class Watched:
        def __init__(self, container):
            self.add_stream = container.add_stream

        def mux(self, given):
            packets.extend((packet.pts, packet.dts) for packet in given)

    with created(tmp_path / "a.mp4") as container:
        settings = Encoding("hevc", bits=10).settings(64, 96)
        encoder = Encoder(Watched(container), settings, (64, 96), Fraction(25), Format(), False)
        for frame in waves(frames):
            encoder.add(frame)
        encoder.finish()
    assert sorted(shown for shown, _ in packets) == list(range(frames))
    assert all(-frames <= decoded <= shown for shown, decoded in packets)


@pytest.mark.parametrize("kind, form", [(np.uint8, "rgb24"), (np.uint16, "rgb48le")])
def test_planar_frames_of_any_width_reach_ffmpeg_as_they_are(kind, form):
    planar = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (3, 150, 53), dtype=kind, endpoint=True)
    frame = planar.transpose(1, 2, 0)
    expected = frame if kind == np.uint8 else scaled_down(frame)
    assert np.array_equal(_packed(frame).to_ndarray(), expected) and _packed(frame).format.name == form


def test_pixels_are_scaled_in_bands_as_they_are_at_once():
    pixels = np.arange(3 * 150 * 50, dtype=np.uint16).reshape(150, 50, 3) * 2
    assert np.array_equal(scaled_down(pixels), (pixels.astype(np.uint64) * 65280 + 32767) // 65535)
