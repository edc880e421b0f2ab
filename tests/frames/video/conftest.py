"""Small videos made by the tests themselves."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

Frames = list[np.ndarray]


def moving(frames: int, height: int = 48, width: int = 64) -> Frames:
    """A smooth coloured pattern that moves."""
    y, x = np.mgrid[:height, :width] / 24
    waves = [np.stack([np.sin(x + t / 3), np.cos(y - t / 5), np.sin(x + y)], -1) for t in range(frames)]
    return [(127 + 100 * wave).astype(np.uint8) for wave in waves]


@pytest.fixture
def pattern() -> Callable[..., Frames]:
    """`pattern(frames, height=48, width=64)`."""
    return moving


@pytest.fixture
def encode(tmp_path) -> Callable[..., Path]:
    """`encode(name, frames=50, ...)`: a video of the pattern; see the arguments."""

    def make(
        name: str,
        frames: int = 50,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        times: list[Fraction] | None = None,
        container: dict[str, str] | None = None,
        sound: bool = False,
        **context: object,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options=container or {}) as out:
            stream = out.add_stream(codec, rate=25, options={"g": "10"})
            stream.height, stream.width, stream.pix_fmt = 48, 64, pix_fmt
            for key, value in context.items():
                setattr(stream.codec_context, key, value)
            if times:
                stream.codec_context.time_base = Fraction(1, 1000)
            tones = out.add_stream("aac", rate=48000) if sound else None
            for index, pixels in enumerate(moving(frames)):
                picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt)
                if times:
                    picture.time_base, picture.pts = Fraction(1, 1000), round(times[index] * 1000)
                out.mux(stream.encode(picture))
            out.mux(stream.encode(None))
            if tones:
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="flt", layout="mono")
                silence.rate = 48000
                out.mux(tones.encode(silence))
                out.mux(tones.encode(None))
        return path

    return make
