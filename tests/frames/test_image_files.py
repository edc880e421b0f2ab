"""Images: every format reads as 8-bit RGB, damage is one clear line, writing is atomic."""

import io
import os
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from frames import images
from frames.headers import BrokenFile, check_whole, read_header
from frames.images import image_header, image_size, read_image, write_image, write_png


@pytest.fixture
def frame() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)


def encoded(suffix: str, bgr: np.ndarray, *options: int) -> bytes:
    return cv2.imencode(suffix, bgr, list(options))[1].tobytes()


def test_png_reads_back_as_written(tmp_path, frame):
    write_png(tmp_path / "deep" / "a.png", frame)
    read = read_image(tmp_path / "deep" / "a.png")
    assert np.array_equal(read, frame)
    assert read.flags.c_contiguous
    assert image_size(tmp_path / "deep" / "a.png") == (37, 53)


def test_bmp_keeps_red_first(tmp_path, frame):
    (tmp_path / "a.bmp").write_bytes(encoded(".bmp", frame[..., ::-1]))
    assert np.array_equal(read_image(tmp_path / "a.bmp"), frame)
    assert image_size(tmp_path / "a.bmp") == (37, 53)


def test_sixteen_bits_are_rounded_exactly(tmp_path):
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    (tmp_path / "a.png").write_bytes(encoded(".png", np.dstack([every] * 3)))
    nearest = np.floor(np.arange(65536) / 257 + 0.5).astype(np.uint8).reshape(256, 256)
    assert np.array_equal(read_image(tmp_path / "a.png")[..., 1], nearest)


def test_grey_is_repeated_and_alpha_dropped(tmp_path, frame):
    (tmp_path / "grey.png").write_bytes(encoded(".png", frame[..., 0]))
    assert np.array_equal(read_image(tmp_path / "grey.png"), np.dstack([frame[..., 0]] * 3))
    transparent = np.dstack([frame[..., ::-1], np.zeros((37, 53), np.uint8)])
    (tmp_path / "alpha.png").write_bytes(encoded(".png", transparent))
    assert np.array_equal(read_image(tmp_path / "alpha.png"), frame)
    Image.fromarray(np.dstack([frame, frame[..., 0]])).save(tmp_path / "alpha.webp", lossless=True, exact=True)
    assert np.array_equal(read_image(tmp_path / "alpha.webp"), frame)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}], ids=str)
def test_alpha_of_a_tiff_is_dropped_and_not_blended(tmp_path, frame, mode, options):
    alpha = np.arange(37 * 53).reshape(37, 53).astype(np.uint8)
    colours = frame if mode == "RGBA" else frame[..., :1]
    Image.fromarray(np.dstack([colours, alpha]), mode).save(tmp_path / "a.tif", **options)
    read = read_image(tmp_path / "a.tif")
    assert np.array_equal(read, np.broadcast_to(colours, frame.shape)) and read.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_with_alpha_is_turned_as_one_without(tmp_path, frame, orientation):
    picture = Image.fromarray(frame)
    exif = picture.getexif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "plain.tif", exif=exif)
    picture.putalpha(7)
    picture.save(tmp_path / "alpha.tif", exif=exif)
    assert np.array_equal(read_image(tmp_path / "alpha.tif"), read_image(tmp_path / "plain.tif"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colours_in_planes_are_read_or_refused_in_one_line(tmp_path, frame, dtype):
    planes = np.moveaxis(frame.astype(dtype), -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    if dtype == np.uint8:
        assert np.array_equal(read_image(tmp_path / "a.tif"), frame)
        return
    with pytest.raises(
        ValueError, match=r"a\.tif: a TIFF with a plane of 16 bits for each colour, which is not read; rep"
    ):
        read_image(tmp_path / "a.tif")


def test_alpha_of_a_deep_tiff_is_dropped_or_refused_in_one_line(tmp_path):
    deep = np.random.default_rng(0).integers(0, 65536, (9, 5, 4), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "deep.tif", deep, photometric="rgb", extrasamples=["unassalpha"])
    assert np.array_equal(read_image(tmp_path / "deep.tif"), np.floor(deep[..., :3] / 257 + 0.5).astype(np.uint8))
    tifffile.imwrite(tmp_path / "grey.tif", deep[..., :2], photometric="minisblack", extrasamples=["unassalpha"])
    with pytest.raises(
        ValueError, match=r"grey\.tif: alpha beside colours in an order that is not read; save it as PNG"
    ):
        read_image(tmp_path / "grey.tif")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_header_and_pixels_agree_on_exif_orientation(tmp_path, frame, orientation, order):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    tiff = mark + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    plain = encoded(".jpg", frame)
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain[2:]
    (tmp_path / "a.jpg").write_bytes(turned)
    size = (53, 37) if orientation >= 5 else (37, 53)
    assert image_size(tmp_path / "a.jpg") == size
    assert read_image(tmp_path / "a.jpg").shape[:2] == size


@pytest.mark.parametrize("at", [33, -12])
def test_header_and_pixels_agree_on_a_png_with_orientation(tmp_path, frame, at):
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    chunk = struct.pack(">I", len(tiff)) + b"eXIf" + tiff + struct.pack(">I", zlib.crc32(b"eXIf" + tiff))
    plain = encoded(".png", frame[..., ::-1])
    (tmp_path / "a.png").write_bytes(plain[:at] + chunk + plain[at:])
    assert np.array_equal(read_image(tmp_path / "a.png"), frame)
    assert image_size(tmp_path / "a.png") == (37, 53)


def test_size_is_found_behind_long_metadata(tmp_path, frame):
    plain = encoded(".jpg", frame)
    comment = b"\xff\xfe" + struct.pack(">H", 60002) + bytes(60000)
    (tmp_path / "a.jpg").write_bytes(plain[:2] + comment * 3 + plain[2:])
    assert image_size(tmp_path / "a.jpg") == (37, 53)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
@pytest.mark.parametrize("share", [0.001, 0.3, 0.99])
def test_truncation_is_one_line_with_the_name(tmp_path, frame, suffix, share):
    data = encoded(suffix, frame)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ValueError, match=f"cut{suffix}: .*replace the file") as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


def test_truncated_jpeg_is_not_saved_by_its_thumbnail(tmp_path, frame):
    data = encoded(".jpg", frame)
    thumbnail = encoded(".jpg", frame[:8, :8])
    with_thumbnail = data[:2] + b"\xff\xe2" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + data[2:]
    (tmp_path / "a.jpg").write_bytes(with_thumbnail[:-100])
    with pytest.raises(ValueError, match="the file is truncated"):
        read_image(tmp_path / "a.jpg")


def test_flipped_byte_in_a_png_is_found(tmp_path, frame):
    data = bytearray(encoded(".png", frame))
    data[len(data) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ValueError, match="checksum of its IDAT chunk is wrong"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(("data", "why"), [(b"", "empty"), (b"hello world", "not a PNG, JPEG, BMP, WebP or TIFF")])
def test_other_files_are_refused(tmp_path, data, why):
    (tmp_path / "a.png").write_bytes(data)
    for read in (read_image, image_size):
        with pytest.raises(ValueError, match=f"a.png: .*{why}"):
            read(tmp_path / "a.png")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone.png: no such image"):
        read_image(tmp_path / "gone.png")


def test_bomb_is_refused_before_decoding(tmp_path, frame, monkeypatch):
    monkeypatch.setattr(images.cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    data = bytearray(encoded(".png", frame))
    data[16:24] = struct.pack(">II", 30000, 30000)
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ValueError, match="30000x30000 is more than the 160 Mpx"):
        read_image(tmp_path / "a.png")


def test_failed_write_leaves_the_old_file(tmp_path, frame, monkeypatch):
    write_png(tmp_path / "a.png", frame)

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_png(tmp_path / "a.png", 255 - frame)
    assert np.array_equal(read_image(tmp_path / "a.png"), frame)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_float_frames_are_not_written(tmp_path, frame):
    with pytest.raises(ValueError, match="must be uint8"):
        write_png(tmp_path / "a.png", frame.astype(np.float32))


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_every_format_but_png_as_pillow_turns_it(tmp_path, suffix, orientation):
    y, x = np.mgrid[:37, :53]
    picture = Image.fromarray(np.stack([x * 4, y * 6, (x + y) * 2], -1).astype(np.uint8))
    exif = picture.getexif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    picture.save(path, exif=exif, **({"lossless": True} if suffix == ".webp" else {}))
    expected = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    assert np.array_equal(read_image(path), expected)
    assert image_size(path) == expected.shape[:2]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".webp"])
def test_lossless_formats_read_back_as_written(tmp_path, frame, suffix):
    write_image(tmp_path / f"a{suffix}", frame)
    assert np.array_equal(read_image(tmp_path / f"a{suffix}"), frame)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_in_which_0_is_white_is_no_negative(tmp_path, frame, dtype):
    grey = frame[..., 0].astype(dtype) * (257 if dtype == np.uint16 else 1)
    tifffile.imwrite(tmp_path / "scan.tif", np.invert(grey), photometric="miniswhite")
    assert (read_image(tmp_path / "scan.tif") == frame[..., :1]).all()
    assert (read_image(tmp_path / "scan.tif", deep=True) == frame[..., :1].astype(np.uint16) * 257).all()


def test_sixteen_bits_are_rounded_alike_in_png_and_tiff(tmp_path):
    deep = np.random.default_rng(0).integers(0, 65536, (300, 5, 3), dtype=np.uint16)
    for suffix in (".png", ".tif"):
        (tmp_path / f"a{suffix}").write_bytes(encoded(suffix, deep))
    assert np.array_equal(read_image(tmp_path / "a.png"), read_image(tmp_path / "a.tif"))
    assert np.array_equal(read_image(tmp_path / "a.png")[..., ::-1], np.floor(deep / 257 + 0.5).astype(np.uint8))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_all_sixteen_bits_are_read_where_they_are_wanted(tmp_path, frame, suffix):
    deep = np.random.default_rng(0).integers(0, 65536, (37, 53, 3), dtype=np.uint16)
    (tmp_path / f"a{suffix}").write_bytes(encoded(suffix, deep[..., ::-1]))
    write_image(tmp_path / f"b{suffix}", frame)
    read = [read_image(tmp_path / f"{name}{suffix}", deep=True) for name in "ab"]
    assert np.array_equal(read[0], deep) and np.array_equal(read[1], frame.astype(np.uint16) * 257)
    assert {pixels.dtype for pixels in read} == {np.dtype(np.uint16)}


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_several_pictures_in_one_file_are_said(tmp_path, frame, name):
    pages = [Image.fromarray(frame), Image.fromarray(255 - frame), Image.fromarray(frame // 2)]
    pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    for reader in (read_image, image_size):
        with pytest.raises(ValueError, match=f"{name}: it holds 3 pictures"):
            reader(tmp_path / name)


@pytest.mark.parametrize("suffix", [".webp", ".tif"])
@pytest.mark.parametrize("share", [0.01, 0.4, 0.95])
def test_truncated_webp_and_tiff_are_one_line(tmp_path, frame, suffix, share):
    data = encoded(suffix, frame)
    (tmp_path / f"a{suffix}").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ValueError, match=f"a{suffix}: ") as caught:
        read_image(tmp_path / f"a{suffix}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".webp", ".tif"])
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path, frame, suffix, seed):
    data, rng = bytearray(encoded(suffix, frame)), np.random.default_rng(seed)
    for at in rng.integers(0, min(len(data), 200 if seed % 2 else len(data)), 8):
        data[at] = rng.integers(0, 256)
    (tmp_path / f"a{suffix}").write_bytes(data)
    try:
        assert read_image(tmp_path / f"a{suffix}").dtype == np.uint8
    except ValueError as error:
        assert f"a{suffix}: " in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of tags that are damaged
def test_damaged_tiffs_with_alpha_are_read_or_refused_in_one_line(tmp_path, frame, seed):
    Image.fromarray(np.dstack([frame, frame[..., 0]])).save(tmp_path / "a.tif", compression="tiff_lzw")
    data, rng = bytearray((tmp_path / "a.tif").read_bytes()), np.random.default_rng(seed)
    for at in rng.integers(4, len(data) if seed % 2 else 200, 8):
        data[at] = rng.integers(0, 256)
    (tmp_path / "a.tif").write_bytes(data)
    try:
        assert read_image(tmp_path / "a.tif").dtype == np.uint8
    except ValueError as error:
        assert "a.tif: " in str(error) and "\n" not in str(error)


def test_alpha_and_depth_are_known_from_the_header(tmp_path, frame):
    (tmp_path / "plain.png").write_bytes(encoded(".png", frame))
    (tmp_path / "clear.png").write_bytes(encoded(".png", np.dstack([frame, frame[..., 0]])))
    (tmp_path / "deep.png").write_bytes(encoded(".png", frame.astype(np.uint16) * 257))
    headers = [image_header(tmp_path / f"{name}.png") for name in ("plain", "clear", "deep")]
    assert [(header.alpha, header.bits) for header in headers] == [(False, 8), (True, 8), (False, 16)]


def test_a_size_that_a_format_cannot_hold_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="a.webp: 20000x2 cannot be written as .webp"):
        write_image(tmp_path / "a.webp", np.zeros((2, 20000, 3), np.uint8))


@pytest.mark.parametrize("first", [0x0111, 0x4000])  # a tag that is read, tags that are not
def test_a_tiff_whose_tags_point_to_the_same_megabytes_takes_little_memory(tmp_path, first):
    entries, count, step = 400, 100_000, int(first == 0x4000)
    tags = b"".join(struct.pack("<HHII", first + step * n, 1, count, 8 + 6 + 12 * entries) for n in range(entries))
    directory = struct.pack("<H", entries) + tags + struct.pack("<I", 0)
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 8) + directory + bytes(count))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="a TIFF without a size"):
            image_header(tmp_path / "a.tif")
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_a_tiff_whose_pages_lie_on_each_other_is_refused_before_their_tags_are_read(tmp_path):
    pages, entries = 6, 65535
    length = 2 + 12 * entries
    data = bytearray(b"II*\0" + struct.pack("<I", 8) + bytes(length + 14 * pages))
    for page in range(pages):  # each a little behind the one before, and over nearly all of it
        at = 8 + 14 * page
        struct.pack_into("<H", data, at, entries)
        struct.pack_into("<I", data, at + length, at + 14 if page + 1 < pages else 0)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.tif: a TIFF with more than 131072 tags; replace the file"):
        image_header(tmp_path / "a.tif")


def with_chunks(png: bytes, at: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with more chunks."""
    added = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return png[:at] + b"".join(added) + png[at:]


def test_pictures_and_alpha_are_found_behind_a_long_profile(tmp_path, frame):
    indexed = io.BytesIO()
    Image.fromarray(frame).quantize(16).save(indexed, "PNG")
    profile, animated = (b"iCCP", b"x\0\0" + bytes(100_000)), (b"acTL", struct.pack(">II", 3, 0))
    (tmp_path / "a.png").write_bytes(with_chunks(encoded(".png", frame), 33, profile, animated))
    with pytest.raises(ValueError, match=r"a\.png: it holds 3 pictures"):
        image_size(tmp_path / "a.png")
    palette = indexed.getvalue().index(b"IDAT") - 4
    (tmp_path / "b.png").write_bytes(with_chunks(indexed.getvalue(), palette, profile, (b"tRNS", bytes(16))))
    assert image_header(tmp_path / "b.png").alpha and read_image(tmp_path / "b.png").shape == frame.shape


def test_pictures_of_a_webp_are_counted_to_its_end(tmp_path):
    large = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    pages = [Image.fromarray(large), Image.fromarray(255 - large)]
    pages[0].save(tmp_path / "a.webp", save_all=True, append_images=pages[1:], lossless=True)
    assert (tmp_path / "a.webp").stat().st_size > 2 * images.HEADER_BYTES
    with pytest.raises(ValueError, match=r"a\.webp: it holds 2 pictures"):
        image_size(tmp_path / "a.webp")


@pytest.mark.parametrize("check", [check_whole, read_header])
def test_a_tiff_without_a_picture_is_said(check):
    with pytest.raises(BrokenFile, match="a TIFF without a picture"):
        check(b"II*\0\0\0\0\0")
