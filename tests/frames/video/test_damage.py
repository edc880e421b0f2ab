"""Videos that are cut short or damaged: what can be decoded comes, then one line says what is missing."""

import struct

import av
import numpy as np
import pytest

from frames.video import DamagedVideo, read_timed, read_video, video_info
from frames.video.checksums import Checksums

CONTAINERS = {  # name: codec, options of the container
    "moov first.mp4": ("libx264", {"movflags": "faststart"}),
    "fragments.mp4": ("libx264", {"movflags": "frag_keyframe+empty_moov"}),
    "a.mkv": ("libx264", {}),
    "a.webm": ("libvpx-vp9", {}),
    "a.ts": ("libx264", {}),
    "a.mpg": ("mpeg2video", {}),
    "a.avi": ("mpeg4", {}),
    "a.flv": ("flv", {}),
    "a.mxf": ("mpeg2video", {}),
    "a.y4m": ("wrapped_avframe", {}),
    "a.gif": ("gif", {}),
}


@pytest.fixture(params=CONTAINERS)
def whole(request, encode):
    codec, options = CONTAINERS[request.param]
    return encode(request.param, codec=codec, container=options, pix_fmt="rgb8" if codec == "gif" else "yuv420p")


def read(path, reading=read_video) -> tuple[int, str]:
    """How many frames came, and what was said."""
    count = 0
    try:
        for _ in reading(path):
            count += 1
    except (DamagedVideo, ValueError) as error:
        assert "\n" not in str(error) and path.name in str(error)
        return count, str(error)
    return count, ""


def test_a_whole_video_has_no_complaint(whole):
    assert video_info(whole).frames == 50 and video_info(whole).damage == ""
    assert read(whole) == (50, "")


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_video_without_its_tail_gives_what_there_is_and_says_so(whole, share):
    data = whole.read_bytes()
    cut = whole.with_name(f"cut {whole.name}")
    cut.write_bytes(data[: int(len(data) * share) | 1])  # odd, so that no unit of the container ends there
    count, said = read(cut)
    assert said and 0 <= count <= 50
    assert read(cut, read_timed) == (count, said)
    if count:
        info = video_info(cut)
        assert info.frames == count and info.damage in said


def test_an_mp4_without_its_tail_keeps_every_whole_frame(encode):
    path = encode("a.mp4", container={"movflags": "faststart"}, codec="mpeg4")
    frames = list(read_video(path))
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2])
    kept = []
    with pytest.raises(DamagedVideo, match="a.mp4: .*50 frames are announced and [0-9]+ can be decoded"):
        for frame in read_video(path):
            kept.append(frame)
    assert len(kept) > 15 and all(np.array_equal(a, b) for a, b in zip(kept[:-1], frames))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.avi"])
def test_a_video_without_its_head_is_one_line(encode, name):
    codec = {"a.webm": "libvpx-vp9", "a.avi": "mpeg4"}.get(name, "libx264")
    path = encode(name, codec=codec)
    path.write_bytes(path.read_bytes()[-2000:])
    assert read(path)[1]


def test_frames_that_the_decoder_marks_corrupt_are_counted(encode):
    path = encode("a.mp4")
    data = bytearray(path.read_bytes())
    for at in range(len(data) // 2, len(data) // 2 + 40):
        data[at] ^= 0x5A
    path.write_bytes(data)
    count, said = read(path)
    assert count >= 48 and "damaged" in said
    assert len(list(read_video(path, 0, 3))) == 3  # those before the damage are good


@pytest.mark.parametrize(("first", "frames"), [(0, 30), (15, 20), (15, 35)])
def test_frames_that_an_edit_list_cuts_off_are_no_damage(encode, first, frames):
    path = encode("a.mp4", max_b_frames=0)
    data = bytearray(path.read_bytes())
    length, begin = 40 * frames, first * 512  # in 1/1000 s, in 1/12800 s
    struct.pack_into(">Ii", data, data.index(b"elst") + 12, length, begin)
    path.write_bytes(data)
    assert read(path) == (frames, "")
    assert video_info(path).frames == frames


@pytest.mark.parametrize("pix_fmt", ["yuv411p", "yuv422p", "yuv444p", "gray", "yuv420p10le"])
def test_a_whole_y4m_of_any_colours_has_no_complaint(encode, pix_fmt):
    path = encode("a.y4m", frames=3, codec="wrapped_avframe", pix_fmt=pix_fmt, container={"strict": "-1"})
    assert read(path) == (3, "")
    path.write_bytes(path.read_bytes()[:-1])
    assert read(path) == (2, f"{path}: the file is truncated (2 frames can be decoded); replace the file")


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "bgr0"])
def test_a_flipped_bit_in_ffv1_is_said(encode, pix_fmt):
    """FFmpeg shows the frame before in place of a damaged slice."""
    path = encode("a.mkv", frames=6, codec="ffv1", pix_fmt=pix_fmt, options={"level": "3", "slicecrc": "1"})
    assert read(path) == (6, "")
    data = bytearray(path.read_bytes())
    for at in (len(data) // 2, len(data) // 4 * 3):
        data[at] ^= 4
    path.write_bytes(data)
    count, said = read(path)
    assert count == 6 and "2 of its frames are damaged" in said


def test_zeros_in_place_of_an_ffv1_packet_are_no_slices(encode):
    """The CRC of zeros is 0, as that of a whole slice, and FFmpeg makes a frame of them without a word."""
    path = encode("a.mkv", frames=3, codec="ffv1", options={"level": "3", "slicecrc": "1"})
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    checksums = Checksums()
    assert all(map(checksums.whole, packets))
    assert not any(checksums.whole(bytes(size)) for size in range(800, 808))


def test_a_wrong_checksum_in_a_video_of_png_is_said(encode):
    path = encode("a.mov", frames=3, codec="png", pix_fmt="rgb24")
    assert read(path) == (3, "")
    data = bytearray(path.read_bytes())
    at = data.rindex(b"IDAT")
    data[at + 4 + int.from_bytes(data[at - 4 : at], "big")] ^= 1
    path.write_bytes(data)
    assert "1 of its frames is damaged" in read(path)[1]


@pytest.mark.parametrize("options", [{"level": "1"}, {"level": "3", "slicecrc": "0"}])
def test_ffv1_without_checksums_is_read(encode, options):
    assert read(encode("a.mkv", frames=6, codec="ffv1", options=options)) == (6, "")


def test_a_container_that_loses_its_thread_is_compared_with_its_duration(encode):
    path = encode("a.mkv")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    path.write_bytes(data)
    assert "damaged" in read(path)[1] or "announced" in read(path)[1]


def test_a_codec_that_nobody_knows_is_one_line(encode):
    path = encode("a.mp4", frames=3)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz9"))
    for reading in (video_info, lambda p: list(read_video(p))):
        with pytest.raises(ValueError, match="a.mp4: there is no decoder for its video"):
            reading(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{other}\n#EXT-X-ENDLIST\n"),
        ("b.mkv", "ffconcat version 1.0\nfile {other}\n"),
    ],
)
def test_playlists_that_call_themselves_videos_are_not_followed(encode, tmp_path, name, text):
    other = encode("other.ts")
    (tmp_path / name).write_text(text.format(other=other.name))
    with pytest.raises(ValueError, match=f"{name}: not a readable video"):
        video_info(tmp_path / name)


def test_a_change_of_size_names_the_frame(encode, tmp_path, monkeypatch):
    first, second = encode("a.ts", frames=12), tmp_path / "b.ts"
    import av

    with av.open(str(second), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        for _ in range(12):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 48, 3), np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with pytest.raises(ValueError, match="joined.ts: frame [0-9]+ is 48x32, those before it are 64x48"):
        list(read_video(joined))


def test_gigabytes_of_zeros_behind_the_frames_are_not_searched_for_ever(encode, monkeypatch):
    monkeypatch.setattr("frames.video.container.PATIENCE_S", 3.0)
    path = encode("a.mkv", frames=10)
    with open(path, "ab") as file:
        file.truncate(20_000_000_000)
    count, said = read(path)
    assert count <= 10 and f"breaks off after {count} frames" in said  # 10, where the machine does not pause for 3 s
