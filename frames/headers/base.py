"""Facts about an image that need no decoding."""

from __future__ import annotations

import struct
from dataclasses import dataclass

ORIENTATION_TAG = 0x0112


class BrokenFile(ValueError):
    """The bytes are not a whole image of a known format; the message says what is wrong, without the file's name."""


@dataclass(frozen=True)
class Header:
    """An image's header.

    `height` and `width` are in pixels, of the picture as stored; `orientation` is Exif's 1 to 8, where 5 to 8 lie on
    their side; `unassociated_alpha` is true where OpenCV would multiply 8-bit colours by alpha; `pictures` counts the
    frames of an animation or the pages of a document; `profile` is true for an embedded colour profile other than sRGB
    (not looked for in TIFF); `negative` is true where 0 is white and OpenCV would leave it so.
    """

    format: str  # "png", "jpeg", "bmp", "webp" or "tiff"
    height: int
    width: int
    orientation: int = 1
    bits: int = 8  # a sample
    alpha: bool = False
    unassociated_alpha: bool = False
    pictures: int = 1
    profile: bool = False
    negative: bool = False

    @property
    def upright_size(self) -> tuple[int, int]:
        """(height, width) of the picture turned upright."""
        return (self.width, self.height) if self.orientation >= 5 else (self.height, self.width)


def is_other_profile(profile: bytes) -> bool:
    """Whether an ICC profile is another one than sRGB, by its description; its beginning is enough."""
    return not any(name in profile for name in (b"sRGB", "sRGB".encode("utf-16-be")))


def exif_orientation(tiff: bytes) -> int:
    """Orientation 1..8 from an Exif block; 1 (upright) where it is absent or unreadable, as decoders do."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, at)
        for index in range(entries):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, at + 2 + 12 * index)
            if tag == ORIENTATION_TAG:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
