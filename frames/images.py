"""Still images: PNG (8 and 16 bit), JPEG and BMP in, PNG out. Frames are uint8 (H, W, 3) RGB, C-contiguous."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from frames.atomic import replacing
from frames.headers import BrokenFile, check_whole, read_header

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
MAX_PIXELS = 400_000_000  # a larger one is a mistake or a decompression bomb: it would take over 1.2 GB
HEADER_BYTES = 1 << 16


def read_image(path: str | Path) -> np.ndarray:
    """Read one image as uint8 (H, W, 3) RGB.

    16-bit samples are rounded to 8 bits exactly, round(x / 257). Grey is repeated over the three channels, alpha is
    dropped (not blended). The Exif orientation of a JPEG is applied, that of a PNG is not (it may stand behind the
    pixels, where a look at the header does not find it); colour profiles and gamma chunks are ignored.

    Raises:
        FileNotFoundError: no such file.
        ValueError: unknown format, truncated or damaged file, more than 400 Mpx; one line with the file's name.
    """
    path = Path(path)
    data = _read_bytes(path)
    try:
        header = read_header(data)
        _check_pixels(header.height, header.width)
        check_whole(data)
    except BrokenFile as error:
        raise _broken(path, str(error)) from None
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    if header.format == "png":
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise _broken(path, "it cannot be decoded")
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if image.dtype != np.uint8:
        raise _broken(path, f"samples of type {image.dtype}")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def image_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of the upright image, from the header alone.

    Raises:
        FileNotFoundError, ValueError: as `read_image`, but for damage behind the header.
    """
    path = Path(path)
    try:
        try:
            header = read_header(_read_bytes(path, HEADER_BYTES))
        except BrokenFile:
            header = read_header(_read_bytes(path))  # a JPEG may carry megabytes of metadata before its size
        _check_pixels(header.height, header.width)
    except BrokenFile as error:
        raise _broken(path, str(error)) from None
    return header.height, header.width


def write_png(path: str | Path, frame: np.ndarray) -> None:
    """Write a uint8 (H, W, 3) RGB frame as PNG, lossless and atomic: the file is whole or not there at all.

    The compression level is the lowest that compresses: frames are written often and read once or twice.
    """
    path = Path(path)
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        raise ValueError(f"{path}: a frame must be uint8 (H, W, 3), not {frame.dtype} {frame.shape}")
    _, data = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    with replacing(path) as temporary:
        temporary.write_bytes(data.tobytes())


def _read_bytes(path: Path, limit: int = -1) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such image") from None


def _check_pixels(height: int, width: int) -> None:
    if height < 1 or width < 1:
        raise BrokenFile(f"its header says {width}x{height}")
    if height * width > MAX_PIXELS:
        raise BrokenFile(f"{width}x{height} is more than the {MAX_PIXELS // 10**6} Mpx that are accepted")


def _broken(path: Path, why: str) -> ValueError:
    return ValueError(f"{path}: {why}; replace the file or take it out of the folder")
