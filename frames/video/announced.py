"""Numbers of frames and seconds that a video's container announces, to compare with the decoded ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from frames.video.structure import truncation

MATROSKA, MOV = "matroska", "mov"


@dataclass(frozen=True)
class Announced:
    """Frames and seconds that a container announces for its first video stream; None where it says nothing."""

    frames: int | None
    seconds: Fraction | None
    truncated: str | None  # a sign of truncation in the file's structure, found without decoding

    def missing(self, frames: int, seconds: Fraction, widest: Fraction) -> str | None:
        """A message on missing frames, or None if all are there.

        Args:
            frames: the number of frames found.
            seconds: the end of the last one.
            widest: the longest time between two frames, in seconds; the last frame may be shown as long.
        """
        if self.frames is not None and frames < self.frames:
            return f"{self.frames} frames are announced and {frames} can be decoded"
        if self.truncated:
            return f"{self.truncated} ({frames} frames can be decoded)"
        if self.seconds is not None and self.seconds - seconds > Fraction(3, 2) * widest:
            lengths = f"{float(self.seconds):.2f} s are announced, {float(seconds):.2f} s"
            return f"{lengths} can be decoded ({frames} frames)"
        return None


def announced_of(path: Path, container: InputContainer, stream: VideoStream) -> Announced:
    """Read what an open container announces, and check the file's structure for truncation."""
    seconds = None
    if container.format.name.startswith(MATROSKA):
        seconds = _duration_tag(stream.metadata)
        if seconds is None and len(container.streams) == 1 and container.duration:
            seconds = Fraction(container.duration, 1_000_000)
    frames = stream.frames
    if container.format.name == "avi":
        frames = _without_repeats(stream)
    elif frames and container.format.name.startswith(MOV):
        frames = len(stream.index_entries)  # without the frames that an edit list cuts off, which are not demuxed
    return Announced(frames or None, seconds, truncation(path))


def _without_repeats(stream: VideoStream) -> int:
    """The frames that an AVI announces, less the empty packets, which repeat a frame and are not in the index."""
    index = stream.index_entries
    repeats = index[len(index) - 1].timestamp + 1 - len(index) if len(index) else 0
    return max(stream.frames - max(repeats, 0), min(len(index), stream.frames))


def _duration_tag(tags: dict[str, str]) -> Fraction | None:
    """The seconds of a Matroska tag such as 00:00:02.040000000."""
    for name, value in tags.items():
        if name.upper().startswith("DURATION"):
            found = re.fullmatch(r"([0-9]{1,4}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,9})?", value.strip())
            if found:
                hours, minutes, seconds = (int(found[index]) for index in (1, 2, 3))
                return 3600 * hours + 60 * minutes + seconds + Fraction(f"0{found[4] or '.0'}")
    return None
