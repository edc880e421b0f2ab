"""Headers of images as cameras, scanners and other programs write them, where the encoders of OpenCV do not."""

import struct

import cv2
import numpy as np
import pytest
import tifffile

from frames.headers import check_whole, read_header
from frames.images import read_image


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def test_a_jpeg_with_more_before_its_size(tmp_path, frame):
    plain = cv2.imencode(".jpg", frame[..., ::-1])[1].tobytes()
    model, turned = (0x0110, 2, 4, 0x41414100), (0x0112, 3, 1, 6 << 16)  # tag, type, count, value
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + b"".join(struct.pack(">HHII", *tag) for tag in (model, turned))
    profile = [segment(0xE2, b"ICC_PROFILE\0" + bytes([part, 2]) + text) for part, text in ((1, b"sRGB"), (2, b"rest"))]
    tables = plain[plain.index(b"\xff\xc4") : plain.index(b"\xff\xda")]  # DHT: a number among those of SOF
    parts = [segment(0xE1, exif), *profile, b"\xff\x01", b"\xff\xff" + tables, plain[2:]]
    (tmp_path / "plain.jpg").write_bytes(plain)
    (tmp_path / "a.jpg").write_bytes(data := plain[:2] + b"".join(parts))
    header = read_header(data)
    assert (header.height, header.width, header.orientation, header.profile) == (37, 53, 6, False)
    assert np.array_equal(read_image(tmp_path / "a.jpg"), np.rot90(read_image(tmp_path / "plain.jpg"), -1))


@pytest.mark.parametrize("options", [{"rowsperstrip": 8}, {"tile": (16, 16)}], ids=str)
def test_a_truncated_tiff_whose_tags_come_first(tmp_path, frame, options):
    tifffile.imwrite(tmp_path / "a.tif", frame, photometric="rgb", **options)
    data = (tmp_path / "a.tif").read_bytes()
    check_whole(data)
    (tmp_path / "a.tif").write_bytes(data[:-100])
    with pytest.raises(ValueError, match="the file is truncated"):
        read_image(tmp_path / "a.tif")


def test_a_scanned_document_of_two_pages(tmp_path, frame):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for _ in range(2):
            file.write(frame, photometric="rgb", subfiletype=2, metadata=None)  # a page of several
    with pytest.raises(ValueError, match="it holds 2 pictures"):
        read_image(tmp_path / "a.tif")


def test_bitmaps_of_old_programs(tmp_path, frame):
    rows = b"".join(row.tobytes() + b"\0" for row in frame[::-1, :, ::-1])
    core = struct.pack("<IHHHH", 12, 53, 37, 1, 24)  # OS/2
    (tmp_path / "core.bmp").write_bytes(b"BM" + struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) + core + rows)
    assert np.array_equal(read_image(tmp_path / "core.bmp"), frame)
    runs = b"".join(bytes([53, 200 - y, 0, 0]) for y in range(37)) + b"\0\1"  # of a length and a colour: RLE8
    colours = bytes(level for grey in range(256) for level in (grey, grey, grey, 0))
    info = struct.pack("<IiiHHIIiiII", 40, 53, 37, 1, 8, 1, len(runs), 0, 0, 256, 0) + colours
    at = 14 + len(info)
    (tmp_path / "runs.bmp").write_bytes(b"BM" + struct.pack("<IHHI", at + len(runs), 0, 0, at) + info + runs)
    assert read_image(tmp_path / "runs.bmp")[:, 7, 1].tolist() == list(range(164, 201))
