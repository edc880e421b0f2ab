"""Words and tables of numbers on training pictures, as signs, captions, calendars and screens have them.

Photographs show few letters, but viewers notice faults in letters first. They are drawn at GT's resolution in
matplotlib's fonts, and move with the picture.
"""

from __future__ import annotations

import math
import string
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZES = (9, 56)  # of the letters, in GT pixels
SYMBOLS = np.array(list(3 * string.ascii_lowercase + string.ascii_uppercase + string.digits + ".,:;!?&%-"))
MOST_LINES = 5
COLUMNS = 7


def draw_letters(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw random words or a table of numbers on a copy of a picture, uint8 (H, W, 3); on a panel with odds of 1/2."""
    height, width, _ = picture.shape
    panel, ink = _masks(height, width, rng)
    angle = rng.normal(0, 5) if rng.random() < 0.5 else 0.0  # degrees
    below, above = _colours(rng)
    on_panel = rng.random() < 0.5
    result = picture.astype(np.float32)
    for mask, colour, opacity in (panel, below, rng.uniform(0.5, 1) * on_panel), (ink, above, rng.uniform(0.7, 1)):
        turned = np.asarray(mask.rotate(angle, Image.Resampling.BICUBIC) if angle else mask, np.float32)
        result += (colour - result) * (opacity / 255 * turned)[..., None]
    return np.rint(result).clip(0, 255).astype(np.uint8)


def _masks(height: int, width: int, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    """Draw 8-bit masks of a panel and of the ink on it; part of either may lie beyond the edges."""
    size = round(math.exp(rng.uniform(*np.log(SIZES))))
    font = ImageFont.truetype(_fonts()[rng.integers(len(_fonts()))], size)
    left, top = round(rng.uniform(-0.2, 0.6) * width), round(rng.uniform(-0.1, 0.7) * height)
    table, count, pitch = rng.random() < 0.3, rng.integers(1, MOST_LINES + 1), size * rng.uniform(1.1, 2.0)
    masks = Image.new("L", (width, height)), Image.new("L", (width, height))
    panel, ink = map(ImageDraw.Draw, masks)
    if table:
        column, rule = pitch * rng.uniform(1.0, 1.6), max(1, size // 12)
        across = COLUMNS * column
        for row in range(count):
            y = top + row * pitch
            ink.rectangle([left - size // 4, y, left + across, y + rule], fill=255)
            for place, number in enumerate(rng.integers(0, 100, COLUMNS)):
                x = left + place * column
                ink.text((x, y), str(number), font=font, fill=255)
                ink.rectangle([x - size // 4, y, x - size // 4 + rule, y + pitch], fill=255)
    else:
        lines = [_words(rng) for _ in range(count)]
        across = max(map(font.getlength, lines))
        for row, line in enumerate(lines):
            ink.text((left, top + row * pitch), line, font=font, fill=255)
    panel.rectangle([left - size // 2, top - size // 3, left + across + size // 2, top + pitch * count], fill=255)
    return masks


def _words(rng: np.random.Generator) -> str:
    return " ".join("".join(rng.choice(SYMBOLS, rng.integers(1, 10))) for _ in range(rng.integers(1, 5)))


def _colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw colours of panel and ink, (3,) in 0..255: a light and a dark one in either order, half of the time greys."""
    light, dark = rng.uniform(170, 255, 3), rng.uniform(0, 90, 3)
    if rng.random() < 0.5:
        light, dark = (np.full(3, colour.mean()) for colour in (light, dark))
    return (light, dark) if rng.random() < 0.5 else (dark, light)


@cache
def _fonts() -> list[str]:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    names = sorted(folder.glob("DejaVuS*[!y].ttf")) + sorted(folder.glob("STIXGeneral*.ttf"))
    return [str(name) for name in names]
