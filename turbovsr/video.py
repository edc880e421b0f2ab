"""Making of one video: frames are upscaled, encoded in segments that survive a kill, joined with the other streams."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor

from frames.codecs import FEW_FRAMES, Encoding
from frames.door import check_regular, reading
from frames.errors import UserError, one_line
from frames.listing import images_in
from frames.source import Source
from frames.video.carry import OtherStreams
from frames.video.info import Format
from frames.video.mux import mux
from frames.video.segments import SegmentWriter, segment_suffix
from frames.video.tracks import Plan
from turbovsr.partial import Ending, Partial
from turbovsr.pipeline import TurboVSR
from turbovsr.preview import split
from turbovsr.stream import Resume

SHORTEST_SEGMENT = 120  # fewest frames in a segment; it ends where a chunk ends
SAMPLE = 1 << 20  # bytes at each end of an input that its fingerprint covers


@dataclass(frozen=True)
class Excerpt:
    """An excerpt of the input, for a preview: seconds from the input's beginning, and its length in seconds."""

    start: Fraction
    seconds: Fraction

    def frames(self, rate: Fraction) -> int:
        """Number of frames at a constant rate; at least one, as of a video, whose frame at `start` counts."""
        return max(1, round(self.seconds * rate))


@dataclass(frozen=True)
class VideoJob:
    """A video to upscale and write.

    Args:
        given, source: the input.
        output: the video to write.
        encoding: see `frames.codecs`.
        plan: what is carried over beside the pictures, for a source that is a video.
        fps: a constant rate, in place of the input's times.
        excerpt: what of it becomes a split screen; None: all of it, upscaled.
    """

    given: Path
    source: Source
    output: Path
    encoding: Encoding
    plan: Plan
    fps: Fraction | None = None
    excerpt: Excerpt | None = None

    @property
    def timed(self) -> bool:
        """Whether the input's times are kept."""
        return self.source.timed is not None and self.fps is None

    @property
    def rate(self) -> Fraction:
        """Frames per second; an average where times are kept."""
        return self.fps or self.source.fps or Fraction(24)

    @property
    def format(self) -> Format:
        form = self.source.format
        return form if self.timed else replace(form, time_base=1 / self.rate)

    @property
    def zero(self) -> Fraction:
        """Time in the input, in seconds, that becomes 0 in the output."""
        form = self.source.format
        beginning = min(form.clock, form.start) if self.plan.tracks else form.start
        return beginning + (self.excerpt.start if self.excerpt else 0)

    @property
    def other_streams(self) -> OtherStreams | None:
        """Streams and chapters of the input that are carried over beside the pictures; None for images."""
        if self.source.timed is None:
            return None
        seconds = self.excerpt.seconds if self.excerpt else None
        timecode = "" if self.excerpt else self.plan.timecode
        return OtherStreams(self.given, self.plan.tracks, self.zero, seconds, self.timed, timecode)

    @property
    def absent(self) -> str:
        """Message for an input without frames to upscale."""
        if self.excerpt is None:
            return "there is no frame to upscale"
        return f"there is no frame from {float(self.excerpt.start):g} s on; give an earlier --start"

    @property
    def count(self) -> int:
        """Expected number of frames."""
        if self.excerpt is None:
            return self.source.count
        left = self.source.count - round(self.excerpt.start * self.rate)
        return max(0, min(left, self.excerpt.frames(self.rate)))

    def run(self, model: TurboVSR, identity: dict[str, str], anew: bool, advance: Callable[[int], None]) -> list[str]:
        """Make the video, or continue where an earlier run of the same job stopped.

        Args:
            identity: what the frames depend on besides the input: weights, options, versions.
            anew: discard the segments of another run, which are refused otherwise.
            advance: called with the number of frames that were finished since the last call.
        Returns:
            A line for each fault of the input.
        Raises:
            UserError, ValueError, OSError: the video cannot be made; one line.
        """
        full_identity = {**identity, "input": fingerprint(self.given), "encoding": repr((self.encoding, self.rate))}
        full_identity |= {"part": repr(self.excerpt), "output": repr((self.timed, self.output.suffix.lower()))}
        full_identity |= {"sound or subtitles": repr(self.zero)}  # the times of the segments count from it
        steps = Partial(self.output, full_identity, segment_suffix(self.encoding.codec))
        with steps.claimed(anew):
            advance(steps.frames)
            if steps.ending is None:
                self._encode(model, steps, advance)
            if steps.ending is None or not steps.segments:
                raise ValueError(f"{self.given}: {self.absent}")
            broken = self._mux(steps, steps.ending.last)
            steps.remove()
        return [steps.ending.damage] * bool(steps.ending.damage) + broken

    def _mux(self, steps: Partial, last: int) -> list[str]:
        """Join the segments and the other streams; an error names what to try and where the segments are kept."""
        try:
            unit, fps = self.format.time_base, self.rate
            return mux(self.output, steps.segments, unit, fps, last, self.other_streams, steps.folder)
        except ValueError as error:
            remedy = "try --no-audio and --no-subtitles, or copy its streams into Matroska first (ffmpeg -c copy)"
            raise UserError(f"{error}; {remedy}; the encoded parts are kept in {steps.folder}") from error

    def _encode(self, model: TurboVSR, steps: Partial, advance: Callable[[int], None]) -> None:
        """Upscale and encode the missing frames, step by step."""
        reader = Frames(self, steps.frames)
        writer: SegmentWriter | None = None
        last = steps.segments[-1].times[-1] if steps.segments else None

        def step(tail: list[Tensor]) -> None:
            nonlocal writer
            if writer is not None and writer.frames >= SHORTEST_SEGMENT:
                steps.record_segment(writer.close(), tail)
                writer = None

        try:
            for sr in model.stream(reader.frames(), Resume(steps.tail(), step)):
                frame, time = reader.shown(sr)
                if writer is None:
                    size = frame.shape[0], frame.shape[1]
                    writer = SegmentWriter(steps.next_path(), self.encoding, size, self.rate, self.format)
                last = time if last is None else max(time, last + 1)
                writer.add(frame, last)
                del sr, frame  # the loop's variables would hold them for too long
                advance(1)
            if writer is not None:
                steps.record_segment(writer.close(), [], Ending(reader.last_duration(), reader.damage))
        finally:
            if writer is not None:
                writer.abandon()


class Frames:
    """The LR frames of a job from frame `start` on, and the times at which their SR frames are shown."""

    def __init__(self, job: VideoJob, start: int) -> None:
        self._job, self._start, self._index = job, start, start
        self._waiting: deque[tuple[Fraction, Tensor | None]] = deque()
        self._duration = Fraction(0)
        self.damage = ""

    def frames(self) -> Iterator[Tensor]:
        """Yield the LR frames that can be read, uint8 or uint16 (3, H, W).

        Raises:
            ValueError, OSError: the clip's first frame cannot be read.
        """
        read = self._read()
        count = self._start
        while True:
            try:
                pixels, time = next(read)
            except StopIteration:
                if count == 0:
                    raise ValueError(f"{self._job.given}: {self._job.absent}") from None
                return
            except (ValueError, OSError) as error:
                if count == 0:
                    raise
                self.damage = one_line(error)
                return
            count += 1
            frame = torch.from_numpy(pixels.transpose(2, 0, 1).copy())
            self._waiting.append((time, frame if self._job.excerpt else None))
            yield frame

    def shown(self, sr: Tensor) -> tuple[np.ndarray, int]:
        """Picture of the next SR frame, (H, W, 3), and its time, in units of the job's time base."""
        time, lr = self._waiting.popleft()
        index, self._index = self._index, self._index + 1
        picture = sr if lr is None else split(lr, sr)
        if not self._job.timed:
            return picture.permute(1, 2, 0).numpy(), index
        return picture.permute(1, 2, 0).numpy(), max(round((time - self._job.zero) / self._job.format.time_base), 0)

    def last_duration(self) -> int:
        """Duration of the last frame, in units of the job's time base."""
        seconds = self._duration if self._job.timed and self._duration else 1 / self._job.rate
        return max(round(seconds / self._job.format.time_base), 1)

    def _read(self) -> Iterator[tuple[np.ndarray, Fraction]]:
        job = self._job
        deep = job.encoding.bits > 8 and job.source.format.bits > 8
        if job.source.timed is None:
            begin, end = self._start, None
            if job.excerpt is not None:
                first = int(job.excerpt.start * job.rate)
                begin, end = begin + first, first + job.excerpt.frames(job.rate)
            for pixels in islice(job.source.frames(deep), begin, end):
                yield pixels, Fraction(0)
            return
        if job.excerpt is None:
            timed = job.source.timed(deep, start=self._start)
        else:
            timed = islice(job.source.timed(deep, since=job.zero), self._start, None)
        for frame in timed:
            if job.excerpt is not None and frame.time >= job.zero + job.excerpt.seconds:
                return
            self._duration = frame.duration
            yield frame.pixels, frame.time


def fingerprint(path: Path) -> str:
    """Hash of an input that is quick to compute: its name, size, time of change and first and last MiB.

    For a folder, the names, sizes and times of its images.
    """
    digest = hashlib.sha256()
    for file in images_in(path) if path.is_dir() else [path]:
        status = check_regular(file)
        digest.update(repr((file.name, status.st_size, status.st_mtime_ns)).encode("utf-8", "surrogateescape"))
        if not path.is_dir():
            with reading(file) as content:
                digest.update(content.read(SAMPLE))
                content.seek(max(status.st_size - SAMPLE, 0))
                digest.update(content.read(SAMPLE))
    return digest.hexdigest()


def versions() -> str:
    """Sources, versions of libraries, number of threads and fixed encoder settings: pixels and bytes depend on them."""
    libraries = torch.__version__, av.__version__, sorted(av.library_versions.items())
    return repr((_sources(Path(__file__).parent.parent), *libraries, torch.get_num_threads(), FEW_FRAMES))


def _sources(root: Path) -> str:
    """Hash of the modules that make the pixels, in the folder of the packages; training and other models do not."""
    digest = hashlib.sha256()
    for file in sorted([*root.glob("turbovsr/*.py"), *root.glob("frames/**/*.py")]):
        digest.update(repr((file.relative_to(root).as_posix(), file.read_bytes())).encode())
    return digest.hexdigest()
