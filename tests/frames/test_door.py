"""The one door: what is no regular file is refused without being opened, and too much is refused before it is read."""

import os
import socket
import struct
import zlib

import numpy as np
import pytest

from frames import door, images
from frames.door import check_regular, open_regular
from frames.images import image_size, read_image, write_image
from frames.source import open_source
from frames.video import index_video, read_video, video_info

READERS = {
    "image": read_image,
    "size": image_size,
    "video": lambda path: list(read_video(path)),
    "info": video_info,
    "index": index_video,
    "source": lambda path: list(open_source(path).frames()),
}


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket may have about 100 characters
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def make_device(path):
    path.symlink_to("/dev/zero")


def make_loop(path):
    path.symlink_to(path)


def make_dangling(path):
    path.symlink_to("gone.png")


KINDS = {
    make_pipe: "a named pipe",
    make_socket: "a socket",
    make_device: "a device",
    make_loop: "symbolic links",
    make_dangling: "a link to gone.png, where there is no such",
}


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize(
    ("reader", "suffix"),
    [(r, s) for r in READERS for s in (".png", ".mp4") if (r in ("image", "size")) == (s == ".png") or r == "source"],
)
def test_what_is_no_file_is_one_line_and_nothing_waits(tmp_path, make, reader, suffix):
    path = tmp_path / f"a{suffix}"
    make(path)
    with pytest.raises((ValueError, FileNotFoundError), match=f"a{suffix}: .*{KINDS[make]}") as caught:
        READERS[reader](path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader != "source"])
def test_a_folder_with_the_name_of_a_file_is_refused(tmp_path, reader):
    (tmp_path / "crops.png").mkdir()
    with pytest.raises(ValueError, match="crops.png: a folder, not a regular file"):
        READERS[reader](tmp_path / "crops.png")


def test_a_file_that_becomes_a_pipe_between_check_and_open_is_refused(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "a.png")
    monkeypatch.setattr("frames.door.check_regular", lambda *_: None)
    with pytest.raises(ValueError, match="a.png: not a regular file"):
        open_regular(tmp_path / "a.png")


def test_a_name_that_is_too_long_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="File name too long"):
        check_regular(tmp_path / ("a" * 300))


def test_a_sparse_file_is_not_read_for_its_size(tmp_path, monkeypatch):
    with open(tmp_path / "a.png", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(5_000_000_000)
    for reader in (read_image, image_size):
        with pytest.raises(
            ValueError, match="a.png: 5000 MB are more than the 1000 MB that are read; FRAMES_MAX_MEGABYTES"
        ):
            reader(tmp_path / "a.png")


def png(width: int, height: int, bits: int) -> bytes:
    """A small PNG that declares a size; its rows are zeros, compressed."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def jpeg(width: int, height: int) -> bytes:
    import cv2

    data = bytearray(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def webp(width: int, height: int) -> bytes:
    payload = (
        b"VP8X"
        + struct.pack("<I", 10)
        + bytes(4)
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    return b"RIFF" + struct.pack("<I", 4 + len(payload)) + b"WEBP" + payload


def tiff(width: int, height: int) -> bytes:
    tags = [(256, 4, 1, width), (257, 4, 1, height), (273, 4, 1, 8), (279, 4, 1, 0)]
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)


BOMBS = {
    "deep.png": png(19999, 19999, 16),
    "a.png": png(2**31 - 1, 2**31 - 1, 8),
    "a.jpg": jpeg(19990, 19990),
    "a.bmp": bmp(2**31 - 1, 2**31 - 1),
    "up.bmp": bmp(30000, -(2**31)),
    "a.webp": webp(2**24, 2**24),
    "a.tif": tiff(2**32 - 1, 2**32 - 1),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_by_their_headers(tmp_path, monkeypatch, name):
    monkeypatch.setattr(images.cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    (tmp_path / name).write_bytes(BOMBS[name])
    for reader in (read_image, image_size, open_source):
        with pytest.raises(ValueError, match=f"{name}: .*is more than the 160 Mpx .*FRAMES_MAX_MEGAPIXELS"):
            reader(tmp_path / name)


@pytest.mark.parametrize("name", ["a.bmp", "a.png", "a.tif", "a.jpg"])
def test_sizes_that_cannot_be_are_refused(tmp_path, name):
    data = {"a.bmp": bmp(-5, 3), "a.png": png(0, 3, 8), "a.tif": tiff(0, 0), "a.jpg": jpeg(0, 0)}[name]
    (tmp_path / name).write_bytes(data)
    for reader in (read_image, image_size):
        with pytest.raises(ValueError, match=f"{name}: its header says"):
            reader(tmp_path / name)


def test_limits_can_be_raised_and_lowered(tmp_path, monkeypatch):
    frame = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    write_image(tmp_path / "a.png", frame)
    monkeypatch.setenv("FRAMES_MAX_MEGAPIXELS", "0.001")
    with pytest.raises(ValueError, match="50x40 is more than the 0.001 Mpx"):
        read_image(tmp_path / "a.png")
    monkeypatch.setenv("FRAMES_MAX_MEGAPIXELS", "1e6")
    monkeypatch.setenv("FRAMES_MAX_MEGABYTES", "0.001")
    with pytest.raises(ValueError, match="MB are more than the 0.001 MB"):
        read_image(tmp_path / "a.png")
    monkeypatch.setenv("FRAMES_MAX_MEGABYTES", "7")
    assert np.array_equal(read_image(tmp_path / "a.png"), frame)


@pytest.mark.parametrize("value", ["", "many", "0", "-3", "nan", "inf"])
def test_a_limit_that_is_none_is_named(tmp_path, monkeypatch, value):
    write_image(tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8))
    monkeypatch.setenv("FRAMES_MAX_MEGAPIXELS", value)
    with pytest.raises(ValueError, match="FRAMES_MAX_MEGAPIXELS=.*: give a number above 0"):
        read_image(tmp_path / "a.png")


def test_a_disk_that_cannot_read_is_an_error_with_the_file(tmp_path):
    (tmp_path / "a.png").symlink_to("/proc/self/mem")  # regular, and its first byte cannot be read
    with pytest.raises(ValueError, match="a.png: it cannot be read"):
        read_image(tmp_path / "a.png")


def test_a_small_file_is_read_whole_and_of_a_larger_one_no_more(tmp_path):
    file = tmp_path / "a.json"
    file.write_bytes(b"12345")
    assert door.read_small(file, 5) == b"12345"
    with pytest.raises(ValueError, match="a.json: larger than 4 bytes, which no such plan is"):
        door.read_small(file, 4, "plan")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="a device, not a regular file"):
        door.read_small(tmp_path / "zero", 4)
