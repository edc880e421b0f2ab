"""Videos by PyAV. Frames are uint8 (H, W, 3) RGB, C-contiguous, full range, upright.

Colour: a frame's tags choose the matrix (BT.601, BT.709, BT.2020, FCC, SMPTE 240M) and the range (limited, full). An
untagged frame is read as BT.601 limited, as every common decoder does, whatever its size. Transfer curves and primaries
are not touched: the numbers are those that the camera or the encoder wrote.
"""

from frames.video.decode import DamagedVideo, TimedFrame, read_timed, read_video
from frames.video.encode import write_video
from frames.video.info import VideoInfo, video_info
from frames.video.windows import VideoIndex, index_video, read_window

__all__ = [
    "DamagedVideo",
    "TimedFrame",
    "VideoIndex",
    "VideoInfo",
    "index_video",
    "read_timed",
    "read_video",
    "read_window",
    "video_info",
    "write_video",
]
