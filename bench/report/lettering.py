"""Text on pictures, in the font that comes with matplotlib: the same pixels on every machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from frames.text import printable

Piece = tuple[str, bool]
"""A stretch of text, and whether it is bold."""


def lines_of(pieces: list[Piece], size: int, width: int) -> list[list[Piece]]:
    """Break text between pieces, so that no line is wider than `width` pixels unless a piece is."""
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        if lines[-1] and length([*lines[-1], piece], size) > width:
            lines.append([])
        lines[-1].append(piece)
    return lines


def length(pieces: list[Piece], size: int) -> float:
    """The width of a line of text in pixels."""
    return sum(_font(size, bold).getlength(printable(text)) for text, bold in pieces)


class Canvas:
    """A picture to paste frames and write text on; `pixels` is the uint8 (H, W, 3) RGB result."""

    def __init__(self, height: int, width: int, color: tuple[int, int, int] = (255, 255, 255)) -> None:
        self._image = Image.new("RGB", (width, height), color)
        self._draw = ImageDraw.Draw(self._image)

    @property
    def pixels(self) -> np.ndarray:
        return np.array(self._image)

    def paste(self, frame: np.ndarray, x: int, y: int) -> None:
        self._image.paste(Image.fromarray(np.ascontiguousarray(frame)), (x, y))

    def write(self, pieces: list[Piece], x: int, y: int, size: int, color: tuple[int, int, int]) -> None:
        """Write one line of text, its top left corner at (x, y)."""
        at = float(x)
        for given, bold in pieces:
            text = printable(given)
            self._draw.text((at, y), text, font=_font(size, bold), fill=color)
            at += _font(size, bold).getlength(text)

    def outline(self, x: int, y: int, width: int, height: int, color: tuple[int, int, int], thick: int = 2) -> None:
        """Draw a border just outside of a rectangle, with a dark edge that shows on any ground."""
        for grow, ink in ((thick + 1, (0, 0, 0)), (thick, color)):
            for step in range(1 if ink == (0, 0, 0) else thick):
                d = grow - step
                self._draw.rectangle((x - d, y - d, x + width - 1 + d, y + height - 1 + d), outline=ink)

    def fill(self, x: int, y: int, width: int, height: int, color: tuple[int, int, int]) -> None:
        self._draw.rectangle((x, y, x + width - 1, y + height - 1), fill=color)


@cache
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)
