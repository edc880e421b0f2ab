"""Films of the years of AVI: packets out of order, packed, empty or without a picture."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from frames.video import read_timed, video_info
from frames.video.decode import Reader
from frames.video.tracks import plan_tracks

VOP, USER_DATA, VIDEO_OBJECT_LAYER = b"\0\0\1\xb6", b"\0\0\1\xb2", b"\0\0\1\x20"
B_PICTURE = 2


def times(path: Path) -> list[float]:
    """Numbers of 1/25 s at which the frames are shown."""
    return [float(frame.time * 25) for frame in read_timed(path)]


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def put(path: Path, like: Path, chunks: dict[int, bytes]) -> Path:
    """Write packets, by the numbers of their times, into a video."""
    with av.open(str(like)) as source, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0], opaque=True)
        for number, chunk in chunks.items():
            packet = av.Packet(chunk)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            packet.is_keyframe = number == 0
            out.mux_one(packet)
    return path


def not_coded(number: int) -> bytes:
    """A picture of MPEG-4 that says that the one before it stays (vop_coded is 0)."""
    bits = "01" + "0" + "1" + f"{number % 25:05b}" + "1" + "0"
    bits += "0" + "1" * (-(len(bits) + 1) % 8)
    return VOP + int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize(("codec", "reordered"), [("libx264", 2), ("mpeg4", 1), ("mpeg4", 0)])
def test_an_avi_whose_pictures_are_out_of_order_keeps_its_times(encode, codec, reordered):
    path = encode("a.avi", codec=codec, max_b_frames=reordered)
    assert times(path) == list(range(50))
    assert video_info(path).format.start == 0


def test_a_packed_bitstream_of_divx_keeps_its_times(encode, tmp_path):
    given, packed = encode("a.avi", codec="mpeg4", max_b_frames=1), {}
    for number, chunk in enumerate(packets(given)):
        if chunk[chunk.index(VOP) + 4] >> 6 == B_PICTURE:
            packed[number - 1] += chunk
            chunk = not_coded(number)
        elif VIDEO_OBJECT_LAYER in chunk:
            chunk = chunk.replace(VOP, USER_DATA + b"DivX503b1393p" + VOP, 1)
        packed[number] = chunk
    path = put(tmp_path / "packed.avi", given, packed)
    assert times(path) == list(range(50))
    assert video_info(path).damage == ""


def test_pictures_that_only_say_that_the_last_one_stays_are_no_damage(encode, tmp_path):
    given = encode("a.avi", codec="mpeg4", max_b_frames=0)
    stays = {7, 20, 21}
    chunks = {at: not_coded(at) if at in stays else chunk for at, chunk in enumerate(packets(given))}
    assert times(put(tmp_path / "stays.avi", given, chunks)) == [at for at in range(50) if at not in stays]


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
def test_empty_packets_of_an_avi_are_no_damage(encode, tmp_path, codec):
    given = encode("a.avi", codec=codec, max_b_frames=0, pix_fmt="yuvj420p" if codec == "mjpeg" else "yuv420p")
    kept = [at for at in range(50) if at not in (3, 20, 21)]  # FFmpeg fills the gaps with empty packets
    chunks = packets(given)
    path = put(tmp_path / "gaps.avi", given, {at: chunks[at] for at in kept})
    assert times(path) == kept
    assert video_info(path).frames == len(kept) and video_info(path).damage == ""


def test_raw_dv_has_the_rate_of_its_times(tmp_path):
    path = tmp_path / "tape.dv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("dvvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame(720, 576, "yuv420p")))
        out.mux(stream.encode(None))
    assert times(path) == [0, 1, 2]
    assert video_info(path).fps == 25
    assert plan_tracks(path, ".mp4").notes == ()  # its time code fits


def test_empty_packets_of_theora_are_no_damage(encode, monkeypatch):
    read = Reader._packets

    def with_empty_ones(reader):
        for packet in read(reader):
            yield packet
            if packet.size:
                empty = av.Packet()
                empty.stream, empty.pts = packet.stream, packet.pts
                yield empty

    path = encode("a.mkv", codec="ffv1")
    monkeypatch.setattr(Reader, "_packets", with_empty_ones)
    assert times(path) == list(range(50))
