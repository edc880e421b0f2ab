"""Still images: PNG, JPEG, BMP, WebP and TIFF in and out. Frames are uint8 or uint16 (H, W, 3) RGB, C-contiguous."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np

from frames.atomic import replacing
from frames.door import pixels_complaint, reading, size_complaint
from frames.headers import BrokenFile, Header, check_whole, read_header
from frames.orientation import upright

Size = tuple[int, int]
"""(height, width) in pixels."""
HEADER_BYTES = 1 << 16
ROWS_AT_ONCE = 256  # of 16-bit samples that are rounded to 8 bits


def read_image(path: str | Path, deep: bool = False) -> np.ndarray:
    """Read one image as uint8 (H, W, 3) RGB; `deep`: as uint16, white is 65535, whatever its bits.

    16-bit samples are rounded to 8 bits exactly, round(x / 257), unless `deep`. Grey is repeated over the three
    channels, alpha is dropped (not blended). The Exif orientation of JPEG, WebP and TIFF is applied, that of a PNG is
    not (it may come after the pixels, where reading the header does not find it); colour profiles and gamma chunks are
    ignored.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a regular file, unknown format, truncated or damaged, several pictures in one file, or larger
            than the limits of `frames.door`; one line with the file's name.
    """
    path = Path(path)
    header, data = _opened(path)
    _check_single(path, header)
    try:
        check_whole(data)
    except BrokenFile as error:
        raise _broken(path, str(error)) from None
    if header.unassociated_alpha and header.bits <= 8:
        frame = _decoded_without_alpha(path, data)
    else:
        frame = _decoded(path, header, data)
    if deep:
        frame = frame if frame.dtype == np.uint16 else frame.astype(np.uint16) * np.uint16(257)
    elif frame.dtype == np.uint16:
        frame = _eight_bits(frame)
    if header.format != "tiff":  # OpenCV turns TIFF whatever it is told
        frame = np.ascontiguousarray(upright(frame, header.orientation))
    if frame.shape[:2] != header.upright_size:
        height, width = header.upright_size
        raise _broken(path, f"{frame.shape[1]}x{frame.shape[0]} pixels where its header says {width}x{height}")
    return frame


def image_header(path: str | Path) -> Header:
    """Read an image's header without its pixels.

    Raises:
        FileNotFoundError, ValueError: as `read_image`, except for several pictures and for damage behind the header.
    """
    return _opened(Path(path), header_alone=True)[0]


def image_size(path: str | Path) -> Size:
    """(height, width) of the upright image, from the header alone.

    Raises:
        FileNotFoundError, ValueError: as `read_image`, except for damage behind the header.
    """
    header = image_header(path)
    _check_single(Path(path), header)
    return header.upright_size


def write_image(path: str | Path, frame: np.ndarray) -> None:
    """Write a uint8 (H, W, 3) RGB frame in the format of the suffix, one of `frames.listing.IMAGE_SUFFIXES`. Atomic.

    PNG, BMP, TIFF and WebP are lossless, JPEG has OpenCV's default quality, 95. PNG is compressed at the lowest level
    that compresses: frames are written often and read once or twice.

    Raises:
        ValueError: not such a frame, or the format cannot hold it.
    """
    path = Path(path)
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"{path}: a frame must be uint8 (H, W, 3), not {frame.dtype} {frame.shape}")
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1] if path.suffix.lower() == ".png" else []
    try:
        written, data = cv2.imencode(path.suffix, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), options)
    except cv2.error:
        written = False
    if not written:
        what = f"{frame.shape[1]}x{frame.shape[0]} cannot be written as {path.suffix or 'an image'}"
        raise ValueError(f"{path}: {what}; give a name that ends in .png")
    with replacing(path) as temporary:
        temporary.write_bytes(data.data)


def write_png(path: str | Path, frame: np.ndarray) -> None:
    """`write_image` for a name that must end in .png."""
    if Path(path).suffix.lower() != ".png":
        raise ValueError(f"{path}: a name that ends in .png is needed")
    write_image(path, frame)


def _opened(path: Path, header_alone: bool = False) -> tuple[Header, bytes]:
    """The header, checked against the limits, and the file's bytes, or only as many as the header takes."""
    with reading(path, "image") as file:
        size = file.seek(0, 2)
        file.seek(0)
        complaint = size_complaint(size)
        if complaint:
            raise ValueError(f"{path}: {complaint}")
        data = file.read(HEADER_BYTES)
        try:
            header = read_header(data)
        except BrokenFile:  # a JPEG may carry megabytes of metadata before its size, a TIFF has it last
            data += file.read()
            try:
                header = read_header(data)
            except BrokenFile as error:
                raise _broken(path, str(error)) from None
        complaint = pixels_complaint(header.height, header.width)
        if complaint:
            raise ValueError(f"{path}: {complaint}")
        return header, data if header_alone else data + file.read()


def _decoded(path: Path, header: Header, data: bytes) -> np.ndarray:
    """Decode an image with OpenCV: uint8 or uint16 (H, W, 3) RGB."""
    try:
        image = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:
        image = None
    if image is None:
        raise _broken(path, "it cannot be decoded")
    if header.unassociated_alpha and image.dtype == np.uint8:  # 16 bits in an order that OpenCV reads as 8 bits
        raise _unreadable_alpha(path)
    if image.dtype not in (np.uint8, np.uint16):
        raise _broken(path, f"samples of type {image.dtype}")
    if header.negative:
        np.invert(image, out=image)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _decoded_without_alpha(path: Path, data: bytes) -> np.ndarray:
    """Decode a TIFF that has alpha with Pillow: uint8 (H, W, 3) RGB as stored; OpenCV would multiply it by alpha."""
    from PIL.TiffImagePlugin import TiffImageFile  # few files need it

    try:
        with TiffImageFile(io.BytesIO(data)) as image:  # Image.open has a limit of its own
            frame = np.array(image.convert("RGB")) if image.mode in ("RGBA", "LA") else None
    except MemoryError:
        raise
    except Exception:  # whatever a damaged file makes of it
        raise _broken(path, "it cannot be decoded") from None
    if frame is None:
        raise _unreadable_alpha(path)
    return frame


def _check_single(path: Path, header: Header) -> None:
    if header.pictures > 1:
        raise ValueError(
            f"{path}: it holds {header.pictures} pictures and a frame is one; split it into a folder of images, "
            "or make a video of it"
        )


def _eight_bits(image: np.ndarray) -> np.ndarray:
    """uint16 -> uint8, a strip at a time: the sums need 32 bits."""
    rounded = np.empty(image.shape, np.uint8)
    for top in range(0, len(image), ROWS_AT_ONCE):
        strip = slice(top, top + ROWS_AT_ONCE)
        rounded[strip] = (image[strip].astype(np.uint32) + 128) // 257
    return rounded


def _unreadable_alpha(path: Path) -> ValueError:
    return ValueError(f"{path}: alpha beside colours in an order that is not read; save it as PNG, or without alpha")


def _broken(path: Path, why: str) -> ValueError:
    return ValueError(f"{path}: {why}; replace the file or take it out of the folder")
