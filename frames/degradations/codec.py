"""Compression in memory: JPEG of single frames, and video codecs over whole clips."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext

DECODERS = {"libx264": "h264", "h264": "h264", "mpeg4": "mpeg4"}
"""FFmpeg's names: encoder -> decoder of its streams."""


def jpeg(frame: np.ndarray, quality: int) -> np.ndarray:
    """Compress a frame with JPEG and decode it, uint8 (H, W, 3) RGB; quality from 1 to 100, chroma at half size."""
    _, coded = cv2.imencode(".jpg", np.ascontiguousarray(frame[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded[..., ::-1]


def video(
    clip: np.ndarray, encoder: str, bit_rate: int | None = None, crf: float | None = None, fps: float = 25
) -> np.ndarray:
    """Encode a clip with a video codec and decode it, uint8 (T, H, W, 3) RGB with even H and W.

    One thread: with several, the rate control of x264 depends on timing, and so would the LR of a training step.

    Args:
        encoder: one of `DECODERS`.
        bit_rate: target in bits a second.
        crf: instead of a rate, x264's constant rate factor from 0 (lossless) to 51.
        fps: frames a second. x264 gives a frame more bits the longer it is seen: at 1, CRF 28 looks like 19 at 25.
    Raises:
        ValueError: an odd size, an unknown encoder, both or neither of rate and crf, or a crf without libx264.
        RuntimeError: the codec lost or added frames.
    """
    if (bit_rate is None) == (crf is None) or (crf is not None and encoder != "libx264"):
        raise ValueError("a codec takes either a rate or, libx264 alone, a constant rate factor (crf)")
    if encoder not in DECODERS:
        raise ValueError(f"unknown video codec {encoder}: choose one of {', '.join(DECODERS)}")
    if clip.shape[1] % 2 or clip.shape[2] % 2:
        raise ValueError(f"a video codec takes even sizes, got {clip.shape[1]}x{clip.shape[2]}")
    writer = VideoCodecContext.create(encoder, "w")
    assert isinstance(writer, VideoCodecContext)
    writer.height, writer.width = clip.shape[1:3]
    writer.pix_fmt = "yuv420p"
    writer.framerate = Fraction(fps).limit_denominator(1001)
    writer.time_base = 1 / writer.framerate
    writer.thread_count = 1
    if bit_rate is not None:
        writer.bit_rate = bit_rate
        writer.bit_rate_tolerance = bit_rate  # FFmpeg's is so wide that short clips ignore the rate
    if writer.codec.name == "libx264":
        # With its macroblock tree on, x264 gave other bits from run to run for many small sizes, one thread or not.
        writer.options = {"x264-params": "mbtree=0"} | ({} if crf is None else {"crf": f"{crf:g}"})
    packets = []
    for index, pixels in enumerate(clip):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        frame = frame.reformat(format="yuv420p", threads=1)
        frame.pts = index
        packets += writer.encode(frame)
    packets += writer.encode(None)
    reader = VideoCodecContext.create(DECODERS[encoder], "r")
    assert isinstance(reader, VideoCodecContext)
    reader.thread_count = 1
    frames = [frame for packet in packets for frame in reader.decode(packet)] + reader.decode(None)
    if len(frames) != len(clip):
        raise RuntimeError(
            f"{encoder} gave {len(frames)} frames back for {len(clip)}: report this with the clip's size"
        )
    return np.stack([frame.reformat(format="rgb24", threads=1).to_ndarray() for frame in frames])
