"""Encoded parts and what their source has beside them, in one file."""

import io
import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from frames.codecs import Encoding
from frames.video import DamagedVideo, read_timed, video_info
from frames.video.carry import OtherStreams
from frames.video.info import Format
from frames.video.mux import mux
from frames.video.segments import Segment, SegmentWriter, segment_suffix
from frames.video.tracks import plan_tracks
from tests import phone

FRAME = 1 / 10  # s
PLAIN = Encoding()


def parts(
    given: Path, folder: Path, encoding: Encoding, length: int = 11, zero: Fraction = Fraction(0)
) -> tuple[list[Segment], int]:
    """The pictures of a video from the time `zero` on, encoded again in parts of `length` frames; for how long the last
    one is shown."""
    unit, segments, writer = video_info(given).format.time_base, [], None
    with suppress(DamagedVideo):  # raised after the last frame
        for index, frame in enumerate(read_timed(given)):
            if index % length == 0:
                segments += [writer.close()] if writer else []
                path = folder / f"part{index}{segment_suffix(encoding.codec)}"
                writer = SegmentWriter(path, encoding, frame.pixels.shape[:2], Fraction(10), video_info(given).format)
            writer.add(frame.pixels, round((frame.time - zero) / unit))
            last = round(frame.duration / unit)
    return [*segments, writer.close()], last


def again(given: Path, output: Path, encoding: Encoding = PLAIN, **options: object) -> list[str]:
    """Encode a video again, with everything that it has."""
    plan = plan_tracks(given, output.suffix)
    form = video_info(given).format
    zero = min(form.clock, form.start)
    segments, last = parts(given, output.parent, encoding, zero=zero)
    other_streams = OtherStreams(given, plan.tracks, zero, timecode=plan.timecode, **options)
    assert mux(output, segments, form.time_base, Fraction(10), last, other_streams) == []
    return list(plan.notes)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_everything_beside_the_pictures_is_kept(tmp_path, suffix):
    given, output = phone.record(tmp_path / "in.mp4"), tmp_path / f"out{suffix}"
    assert again(given, output) == []
    with av.open(str(output)) as container:
        tags = {name.lower(): text for name, text in container.metadata.items()}
        assert phone.TAGS.items() <= tags.items()
        titles = [(c["metadata"]["title"], float(c["start"] * c["time_base"])) for c in container.chapters()]
        assert titles == [("One", 0), ("Two", 1.5)]
        kinds = [(stream.type, stream.language) for stream in container.streams][:3]
        assert kinds == [("video", "fra"), ("audio", "eng"), ("subtitle", "fra")]
        assert (container.streams.video[0].codec_context.height, container.streams.video[0].width) == (24, 16)
        first = next(container.decode(video=0))
        assert (first.color_primaries, first.color_trc, first.colorspace, first.color_range) == (1, 1, 1, 1)
        assert first.rotation == 0  # the pixels are upright
    assert video_info(output).damage == ""
    with av.open(str(output)) as container:
        packets = [packet for packet in container.demux(subtitles=0) if packet.size > 2]
        texts = [bytes(packet).decode()[2 * (suffix != ".mkv") :] for packet in packets]
        assert texts == list(phone.TEXTS)
        begins = [float(packet.pts * packet.time_base) for packet in packets]
        assert begins[1] - begins[0] == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("late", [{}, {"late": Fraction(1, 2)}, {"sound_late": Fraction(13, 10)}])
def test_sound_and_picture_stay_together(tmp_path, suffix, late):
    given, output = phone.record(tmp_path / "in.mp4", subtitles=False, **late), tmp_path / f"out{suffix}"
    again(given, output)
    before, after = (np.array(phone.flashes(path)) for path in (given, output))
    shift = after - before
    assert np.ptp(shift) <= 0.002 and abs(shift[0]) < FRAME
    beeps = np.array(phone.beeps(output)) - np.array(phone.beeps(given))
    assert np.abs(beeps - shift[0]).max() < 0.003


@pytest.mark.parametrize("given_suffix", [".mkv", ".ts"])
def test_a_clock_that_does_not_begin_at_zero(tmp_path, given_suffix):
    given = phone.record(tmp_path / f"in{given_suffix}", subtitles=False, turned=False, late=Fraction(1, 2))
    again(given, tmp_path / "out.mp4")
    gaps = [phone.flashes(path)[0] - phone.beeps(path)[0] for path in (given, tmp_path / "out.mp4")]
    assert gaps[1] == pytest.approx(gaps[0], abs=0.03)
    assert min(phone.flashes(tmp_path / "out.mp4")[0], phone.beeps(tmp_path / "out.mp4")[0]) < 0.03


def test_texts_that_overlap_or_are_hours_apart_keep_their_times(tmp_path):
    given, begins = tmp_path / "in.mkv", [0, 200, 600, 9_000_000]  # ms
    with av.open(str(given), "w") as out:
        picture, texts = out.add_stream("libx264", rate=25), out.add_mux_stream("subrip")
        picture.height, picture.width, picture.pix_fmt = 16, 24, "yuv420p"
        for time in (*range(50), 25 * 9002):
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 24, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 25)
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        for begin, lasts in zip(begins, [1900, 200, 200, 1000]):
            packet = av.Packet(b"text")
            packet.stream, packet.time_base, packet.duration = texts, Fraction(1, 1000), lasts
            packet.pts = packet.dts = begin
            out.mux_one(packet)
    again(given, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        packets = [packet for packet in container.demux(subtitles=0) if packet.size > 2]
    assert [round(1000 * packet.pts * packet.time_base) for packet in packets] == begins


@pytest.mark.parametrize("given_suffix", [".mov", ".mkv"])  # Matroska tells the number of channels alone
def test_pcm_becomes_aac_in_mp4_and_stays_in_matroska(tmp_path, given_suffix):
    given = phone.record(tmp_path / f"in{given_suffix}", sound="pcm_s16le", subtitles=False)
    (note,) = again(given, tmp_path / "out.mp4")
    assert "pcm_s16le" in note and "becomes AAC" in note
    assert again(given, tmp_path / "out.mkv") == []
    with av.open(str(tmp_path / "out.mp4")) as made, av.open(str(tmp_path / "out.mkv")) as kept:
        assert made.streams.audio[0].codec_context.name == "aac"
        assert kept.streams.audio[0].codec_context.name == "pcm_s16le"
    beeps = np.array(phone.beeps(tmp_path / "out.mp4")) - np.array(phone.beeps(given))
    assert np.abs(beeps).max() < 0.01


def test_channels_of_which_only_the_number_is_known_keep_their_order(tmp_path):
    given = tmp_path / "in.mkv"
    _surround(given, "5.1")
    again(given, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.audio[0].codec_context.layout.name == "5.1"
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    assert np.abs(frames[3]).max(1)[:3] == pytest.approx([0.1, 0.2, 0.3], abs=0.02)


def test_sound_that_cannot_become_aac_is_said_before_the_work(tmp_path):
    given = tmp_path / "in.mkv"
    _surround(given, "22.2")
    with pytest.raises(ValueError, match="in.mkv: sound .*nor become AAC; give a name in .mkv or --no-audio"):
        plan_tracks(given, ".mp4")
    assert plan_tracks(given, ".mkv").notes == plan_tracks(given, ".mp4", sound=False).notes == ()


def _surround(path: Path, layout: str) -> None:
    """A video with PCM, each channel a tone that is a tenth louder than the one before it."""
    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=10)
        picture.height, picture.width, picture.pix_fmt = 16, 24, "yuv420p"
        sound = out.add_stream("pcm_s16le", rate=phone.RATE, layout=layout)
        packets = []
        for time in range(4):
            frame = av.VideoFrame.from_ndarray(np.zeros((16, 24, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 10)
            packets += picture.encode(frame)
        loud = np.arange(1, sound.codec_context.layout.nb_channels + 1) * 3277 % 32768
        wave = np.sin(2 * np.pi * 1000 * np.arange(phone.RATE * 2 // 5) / phone.RATE)
        samples = (wave[:, None] * loud).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.rate, frame.pts, frame.time_base = phone.RATE, 0, Fraction(1, phone.RATE)
        for packet in (*packets, *picture.encode(None), *sound.encode(frame), *sound.encode(None)):
            out.mux(packet)


def test_a_piece_has_what_belongs_to_it(tmp_path):
    given, output = phone.record(tmp_path / "in.mp4"), tmp_path / "out.mkv"
    again(given, output, seconds=Fraction(1))
    with av.open(str(output)) as container:
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == ["One"]
        assert len([packet for packet in container.demux(subtitles=0) if packet.size]) == 1
    assert max(phone.beeps(output)) < 1


@pytest.mark.parametrize("suffix, codec, bits", [(".mp4", "av1", 10), (".mov", "prores", 10), (".mkv", "ffv1", 8)])
def test_parts_of_every_codec_are_one_video_with_the_same_bytes_each_time(tmp_path, suffix, codec, bits):
    given, output = phone.record(tmp_path / "in.mp4", size=(64, 96), sound=None), tmp_path / f"out{suffix}"
    again(given, output, Encoding(codec, bits=bits))
    first = output.read_bytes()
    again(given, output, Encoding(codec, bits=bits))
    assert output.read_bytes() == first
    times = [[frame.time for frame in read_timed(path)] for path in (given, output)]
    assert times[1] == pytest.approx(times[0], abs=1e-3)


def test_av1_takes_films_of_more_frames_a_second_than_its_encoder_knows(tmp_path):
    given = phone.record(tmp_path / "in.mp4", seconds=1, fps=10, size=(64, 96), sound=None)
    frames = list(read_timed(given))
    writer = SegmentWriter(tmp_path / "part.mp4", Encoding("av1"), frames[0].pixels.shape[:2], Fraction(600), Format())
    for index, frame in enumerate(frames):
        writer.add(frame.pixels, 150 * index)  # 1/600 s
    assert len(writer.close().times) == 10


def test_parts_with_pictures_out_of_order_keep_their_times(tmp_path):
    given = phone.record(tmp_path / "in.mp4", sound=None, subtitles=False)
    segments, last = parts(given, tmp_path, Encoding(preset="slow"), length=7)
    assert any(segment.order != tuple(sorted(segment.order)) for segment in segments)
    mux(tmp_path / "out.mp4", segments, video_info(given).format.time_base, Fraction(10), last, None)
    with av.open(str(tmp_path / "out.mp4")) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert all(one.dts < other.dts for one, other in zip(packets, packets[1:]))
        assert all(packet.dts <= packet.pts for packet in packets)
    assert [f.time for f in read_timed(tmp_path / "out.mp4")] == [f.time for f in read_timed(given)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("given_suffix", [".mov", ".mkv"])
def test_a_time_code_is_kept(tmp_path, given_suffix, suffix):
    given, output = tmp_path / f"in{given_suffix}", tmp_path / f"out{suffix}"
    phone.record(given, sound=None, subtitles=False, timecode="01:02:03:4")
    assert again(given, output) == []
    with av.open(str(output)) as container:
        found = {name.lower(): text for name, text in container.streams.video[0].metadata.items()}
        assert found["timecode"] == "01:02:03:4"


@pytest.mark.parametrize("timecode", ["01:02:03;04", "noon"])  # a semicolon is for 30 frames a second
def test_a_time_code_that_does_not_fit_is_said(tmp_path, timecode):
    given = phone.record(tmp_path / "in.mkv", sound=None, subtitles=False, timecode=timecode)
    assert again(given, tmp_path / "out.mkv") == []
    note = f"its time code {timecode} is left out: .mp4 does not take it at 10 frames a second"
    assert again(given, tmp_path / "out.mp4") == [note]


def test_the_tag_of_a_3d_picture_is_kept_or_said(tmp_path):
    given = phone.record(tmp_path / "in.mkv", sound=None, subtitles=False, turned=False, stereo_mode="left_right")
    assert again(given, tmp_path / "out.mkv") == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.video[0].metadata["stereo_mode"] == "left_right"
    note = "the tag of its 3D picture, left_right, is left out: .mp4 has no place for it"
    assert again(given, tmp_path / "out.mp4") == [note]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_cover_that_the_container_does_not_take_is_said_before_the_work(tmp_path, suffix):
    given, picture = tmp_path / "in.mkv", io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "GIF")
    with av.open(str(given), "w") as out:
        film = out.add_stream("libx264", rate=10)
        film.height, film.width, film.pix_fmt = 32, 48, "yuv420p"
        out.add_attachment("cover.gif", "image/gif", picture.getvalue())
        out.mux(film.encode(av.VideoFrame(48, 32, "yuv420p")))
        out.mux(film.encode(None))
    note = f"cover (stream 1, gif) is left out: {suffix} has no place for it"
    assert again(given, tmp_path / f"out{suffix}") == [note]


def test_a_cover_that_is_all_there_is_becomes_a_video(tmp_path):
    given, output = tmp_path / "in.mp4", tmp_path / "out.mp4"
    with av.open(str(given), "w") as out:
        tone = out.add_stream("aac", rate=48000)
        cover = out.add_stream("mjpeg", rate=10)
        cover.height, cover.width, cover.pix_fmt = 32, 48, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), format="flt", layout="mono")
        silence.rate = 48000
        for stream, frame in ((cover, av.VideoFrame(48, 32, "yuvj420p")), (tone, silence)):
            out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    assert again(given, output) == []
    with av.open(str(output)) as container:
        kinds = [(stream.type, bool(stream.disposition & Disposition.attached_pic)) for stream in container.streams]
    assert sorted(kinds) == [("audio", False), ("video", False)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_an_edit_list_cuts_off_stays_away(tmp_path, suffix):
    given = phone.record(tmp_path / "in.mp4", subtitles=False, turned=False)
    data, at = bytearray(given.read_bytes()), 0
    for _ in range(2):  # of both tracks, the first second and a half
        at = data.index(b"elst", at + 1)
        unit = int.from_bytes(data[(head := data.index(b"mdhd", at) + 16) : head + 4])
        length, begin = struct.unpack_from(">Ii", data, at + 12)
        struct.pack_into(">Ii", data, at + 12, length - 1500, begin + unit * 3 // 2)
    given.write_bytes(data)
    output = tmp_path / f"out{suffix}"
    again(given, output)
    flashes, beeps = phone.flashes(output), phone.beeps(output)
    assert flashes == pytest.approx([0.5], abs=0.05)
    assert beeps == pytest.approx([flashes[0], flashes[0] + 1], abs=0.003)  # those of the last two seconds


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_rate_is_known(tmp_path, suffix):
    given = phone.record(tmp_path / "in.mp4", sound=None)
    again(given, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        assert container.streams.video[0].average_rate == pytest.approx(10, rel=0.02)


@pytest.mark.parametrize("sound", ["aac", "mp2"])  # MP2 is copied into MP4, too
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_recordings_put_one_behind_the_other_stay_in_sync(tmp_path, suffix, sound):
    one = phone.record(tmp_path / "one.ts", sound=sound, subtitles=False, turned=False)
    (tmp_path / "in.ts").write_bytes(3 * one.read_bytes())
    again(tmp_path / "in.ts", tmp_path / f"out{suffix}")
    flashes, beeps = phone.flashes(tmp_path / f"out{suffix}"), phone.beeps(tmp_path / f"out{suffix}")
    gaps = np.subtract(phone.beeps(one)[:3], phone.flashes(one))
    assert len(flashes) == 9 and len(beeps) == 10
    alone = [0, 1, 2, 4, 5, 7, 8]  # the sound of one recording ends with the beep in which the next one begins
    assert np.subtract(beeps[:9], flashes)[alone] == pytest.approx(np.tile(gaps, 3)[alone], abs=0.003)
    assert np.diff(flashes) == pytest.approx([1] * 8, abs=0.05)
