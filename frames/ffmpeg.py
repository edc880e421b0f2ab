"""The ffmpeg programs of this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil

REMEDY = "pip install imageio-ffmpeg, or put one on PATH"


def programs() -> list[str]:
    """Paths of the ffmpeg programs found: that of the package imageio-ffmpeg, then the one on PATH."""
    found = [shutil.which("ffmpeg")]
    if importlib.util.find_spec("imageio_ffmpeg"):
        import imageio_ffmpeg

        with contextlib.suppress(RuntimeError):  # the package is there without its program
            found.insert(0, imageio_ffmpeg.get_ffmpeg_exe())
    return [program for program in found if program]
