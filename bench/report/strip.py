"""Comparison pictures: a strip as papers print it, and the frames of split-screen and stacked videos.

Crops are enlarged by repeating pixels, never by interpolation, so they show what was scored.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

import cv2
import numpy as np

from bench.report.lettering import Canvas, Piece, length, lines_of
from bench.report.page.regions import Box, cut

INK, SOFT, PAPER = (23, 26, 31), (86, 94, 105), (255, 255, 255)
MARK = (255, 176, 0)  # the crop's box, from Okabe and Ito's palette
GAP, EDGE = 8, 14
TILE = 240  # width in pixels to which a crop is enlarged, about
TEXT, LINE = 13, 18
LEAST = 48  # smallest height of the whole frame, in pixels


@dataclass(frozen=True)
class Version:
    """One version of a frame, uint8 (H, W, 3) RGB of the size of all versions, with its scores as printed."""

    name: str
    frame: np.ndarray
    scores: tuple[Piece, ...] = ()


def strip(versions: list[Version], whole: np.ndarray, box: Box, caption: list[str]) -> np.ndarray:
    """A strip: the whole frame with the crop's box at the left, the crops of all versions beside it, names below."""
    times = max(1, round(TILE / box[2]))
    width, height = box[2] * times, box[3] * times
    columns = len(versions) if len(versions) < 4 else math.ceil(len(versions) / 2)
    labels = [[*_folded(version.name, width), *lines_of(list(version.scores), TEXT, width)] for version in versions]
    below = max(map(len, labels)) * LINE + 6
    rows = math.ceil(len(versions) / columns)
    inside = rows * (height + below) + (rows - 1) * GAP
    caption_lines = _captioned(caption, whole, inside - 6)
    shown = _shrunk(whole, max(LEAST, inside - 6 - LINE * len(caption_lines)))
    inside = max(inside, shown.shape[0] + 6 + LINE * len(caption_lines))
    step = max(width, math.ceil(max(length(line, TEXT) for lines in labels for line in lines))) + GAP
    left = EDGE + shown.shape[1] + 2 * GAP
    canvas = Canvas(inside + 2 * EDGE, left + columns * step - GAP + EDGE, PAPER)
    canvas.paste(shown, EDGE, EDGE)
    share = shown.shape[0] / whole.shape[0]
    x, y, w, h = (round(side * share) for side in box)
    canvas.outline(EDGE + x, EDGE + y, w, h, MARK)
    for number, line in enumerate(caption_lines):
        canvas.write([(line, False)], EDGE, EDGE + shown.shape[0] + 6 + number * LINE, TEXT, SOFT)
    for index, (version, lines) in enumerate(zip(versions, labels)):
        x = left + index % columns * step
        y = EDGE + index // columns * (height + below + GAP)
        canvas.paste(_repeated(cut(version.frame, box), times), x, y)
        for number, pieces in enumerate(lines):
            canvas.write(pieces, x, y + height + 4 + number * LINE, TEXT, INK)
    return canvas.pixels


def _folded(name: str, width: int) -> list[list[Piece]]:
    """A name on one line, or on several if it is far wider than its crop."""
    long = length([(name, True)], TEXT)
    letters = len(name) if long <= 2 * width else max(1, int(len(name) * width / long))
    return [[(line, True)] for line in textwrap.wrap(name, letters) or [name]]


def split(versions: list[Version], times: int = 1) -> np.ndarray:
    """One frame in vertical bands, one for each version, with its name; sides are made even for video."""
    height, width = versions[0].frame.shape[:2]
    edges = [round(index * width / len(versions)) for index in range(len(versions) + 1)]
    canvas = Canvas(_even(height * times), _even(width * times), (0, 0, 0))
    for version, start, stop in zip(versions, edges, edges[1:]):
        canvas.paste(_repeated(version.frame[:, start:stop], times), start * times, 0)
        if start:
            canvas.fill(start * times - 1, 0, 2, height * times, PAPER)
        _tag(canvas, version, start * times + 4, (stop - start) * times - 8)
    return canvas.pixels


def stacked(versions: list[Version], times: int = 1) -> np.ndarray:
    """Whole frames in a grid about as wide as a screen, each with its name; sides are made even for video."""
    height, width = (side * times for side in versions[0].frame.shape[:2])
    columns = min(
        range(1, len(versions) + 1),
        key=lambda n: abs(math.log(n * width / (math.ceil(len(versions) / n) * height) / (16 / 9))),
    )
    rows = math.ceil(len(versions) / columns)
    canvas = Canvas(_even(rows * (height + 2) - 2), _even(columns * (width + 2) - 2), (0, 0, 0))
    for index, version in enumerate(versions):
        x, y = index % columns * (width + 2), index // columns * (height + 2)
        canvas.paste(_repeated(version.frame, times), x, y)
        _tag(canvas, version, x + 4, width - 8, y)
    return canvas.pixels


def _tag(canvas: Canvas, version: Version, x: int, width: int, y: int = 0) -> None:
    """Write a version's name, and its scores if there is room, on a dark ground."""
    scores = [(("  " if first == 0 else "") + text, bold) for first, (text, bold) in enumerate(version.scores)]
    pieces = [(version.name, True), *scores]
    if length(pieces, TEXT) + 10 > width:
        pieces = pieces[:1]
    canvas.fill(x, y + 4, round(min(width, length(pieces, TEXT) + 10)), LINE + 3, (11, 13, 16))
    canvas.write(pieces, x + 5, y + 6, TEXT, PAPER)


def _shown_width(frame: np.ndarray, height: int) -> int:
    return max(1, round(frame.shape[1] * height / frame.shape[0]))


def _shrunk(frame: np.ndarray, height: int) -> np.ndarray:
    """Resample a frame to this height; for orientation only."""
    kind = cv2.INTER_AREA if height < frame.shape[0] else cv2.INTER_CUBIC
    return cv2.resize(frame, (_shown_width(frame, height), height), interpolation=kind)


def _captioned(caption: list[str], whole: np.ndarray, room: int) -> list[str]:
    """The caption in lines no wider than the frame above it, which shrinks for them; at most half of `room` high."""
    lines = caption
    for count in range(len(caption), max(len(caption), room // (2 * LINE)) + 1):
        width = _shown_width(whole, room - LINE * count)
        lines = [line for text in caption for line in _wrapped(text, width)]
        if len(lines) <= count:
            break
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    words = [(word + " ", False) for word in text.split()]
    return ["".join(word for word, _ in line).rstrip() for line in lines_of(words, TEXT, width)]


def _repeated(frame: np.ndarray, times: int) -> np.ndarray:
    return frame.repeat(times, axis=0).repeat(times, axis=1)


def _even(side: int) -> int:
    return side + side % 2
