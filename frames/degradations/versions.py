"""Versions of the software that degraded frames depend on: encoder, codec library, filters, random numbers."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext


@cache
def stamp() -> str:
    """Versions in one line: "libx264 core 165, libavcodec 62.28.102, PyAV 18.1.0, OpenCV 4.12.0, NumPy 2.3.5"."""
    codec = ".".join(map(str, av.library_versions["libavcodec"]))
    return (
        f"libx264 {x264()}, libavcodec {codec}, PyAV {av.__version__}, OpenCV {cv2.__version__}, NumPy {np.__version__}"
    )


@cache
def x264() -> str:
    """The version that libx264 writes into its streams: "core 165" or "core 164 r3108 31e19f9"."""
    writer = VideoCodecContext.create("libx264", "w")
    assert isinstance(writer, VideoCodecContext)
    writer.height = writer.width = 16
    writer.pix_fmt, writer.time_base, writer.thread_count = "yuv420p", Fraction(1), 1
    packets = [*writer.encode(av.VideoFrame(16, 16, "yuv420p")), *writer.encode(None)]
    found = re.search(rb"x264 - (core [0-9a-z ]+?) - ", b"".join(map(bytes, packets)))
    return found[1].decode() if found else "version not told"
