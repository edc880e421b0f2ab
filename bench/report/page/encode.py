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

    def add(self, frame: np.ndarray) -> int:
        """The picture's number."""
        data = webp(frame)
        if data not in self._known:
            self._known[data] = len(self.texts)
            self.texts.append(base64.b64encode(data).decode("ascii"))
        return self._known[data]

    @property
    def size(self) -> int:
        """Bytes in the page."""
        return sum(map(len, self.texts))
