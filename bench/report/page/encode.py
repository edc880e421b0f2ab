"""Pictures inside the page: lossless WebP, as text that a `data:` address can hold."""

from __future__ import annotations

import base64

import cv2
import numpy as np

TEXT = 4 / 3  # base64 writes three bytes as four characters


def webp(frame: np.ndarray) -> bytes:
    """uint8 (H, W, 3) RGB as lossless WebP: every pixel reads back as it was."""
    bgr = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, 101])  # above 100 means lossless
    return data.tobytes()


class Pictures:
    """The pictures of a page, each kept once: equal frames of two methods take room once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._known: dict[bytes, int] = {}

    def add(self, picture: bytes) -> int:
        """Add a picture unless it is there already; returns its number."""
        if picture not in self._known:
            self._known[picture] = len(self.texts)
            self.texts.append(base64.b64encode(picture).decode("ascii"))
        return self._known[picture]
