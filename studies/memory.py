"""Peak memory of `python -m turbovsr IN OUT` at its default tiles, by size and length of the clip.

python -m studies.memory                               # all cases, which takes hours on two cores
python -m studies.memory --case 1920x1080:21 --precision float32 --weights nano --output mp4
python -m studies.memory --case 1920x1080:14 --weights nano-real --precision auto --output mp4 --output mkv-10
python -m studies.memory --encoder 7680x4320:14        # the encoder alone, at the size of SR frames, in this process

It prints a Markdown table with a row for each run and its limit; the exit code is 1 if one exceeds it. The figure is
the largest resident set, as the Linux kernel reports it after the end of the process, which has no child processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from bench.launch.crew import last_line
from frames.codecs import Encoding
from frames.command_line import Parser, guarded, process
from frames.errors import UserError
from frames.images import write_image
from frames.video.encode import Encoder, created
from frames.video.info import Format

BAR_GB = 3.0
# The LR sizes of the limit: an image, a short clip, and one long enough for three chunks (of 9 frames at 1920x1080) or
# two (of 33 frames); and the two sizes at which a chunk is largest, 33.8 and 35.0 million pixels.
CASES = ("480x270:1", "480x270:40", "2000x480:1", "2000x480:36", "1920x1080:1", "1920x1080:3", "1920x1080:21")
LARGEST_CHUNKS = ("1280x800:36", "1920x1072:20")
# Videos: the encoder holds frames, too. 14 frames are more than x264 holds, 60 of 2000x480 are two chunks.
VIDEOS = ("480x270:40", "2000x480:60", "1920x1080:14")
OUTPUTS = {
    "folder": ("sr",),
    "mp4": ("sr.mp4",),
    "mkv": ("sr.mkv",),
    "mkv-10": ("sr.mkv", "--bits", "10"),  # HEVC
    "mp4-hevc": ("sr.mp4", "--codec", "hevc"),
    "mp4-av1": ("sr.mp4", "--codec", "av1"),
    "mkv-ffv1": ("sr.mkv", "--codec", "ffv1"),
    "mov-prores": ("sr.mov", "--codec", "prores"),
}
"""Words of the command line for each kind of output."""


class Case(NamedTuple):
    """A clip: LR frames of width x height."""

    width: int
    height: int
    frames: int

    @classmethod
    def parse(cls, text: str) -> Case:
        try:
            size, frames = text.split(":")
            width, height = map(int, size.split("x"))
            return cls(width, height, int(frames))
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"'{text}' is not a case like 1920x1080:21") from error


class Peak(NamedTuple):
    """Peak memory and time of one process."""

    gigabytes: float  # 1e9 bytes
    seconds: float


def write_clip(folder: Path, case: Case) -> None:
    """Write a clip of blurred noise that moves two pixels a frame."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (case.height // 4 + 2, case.width // 4 + 2, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (case.width, case.height), interpolation=cv2.INTER_CUBIC)
    for index in range(case.frames):
        write_image(folder / f"{index:04}.png", np.roll(picture, 2 * index, axis=1))


def peak(case: Case, weights: str, precision: str, output: str) -> Peak:
    """Measure the peak memory of a fresh process that upscales a clip.

    Raises:
        UserError: it failed; the message is the last line of its output.
    """
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        output_file = Path(folder, "said.txt")
        lr, (name, *options) = Path(folder, "lr"), OUTPUTS[output]
        lr.mkdir()
        write_clip(lr, case)
        words = [str(lr), str(Path(folder, name)), "--weights", weights, "--precision", precision, *options]
        command = [sys.executable, "-m", "turbovsr", *words]
        start = time.monotonic()
        with open(output_file, "wb") as errors:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise UserError(last_line(output_file) or f"{' '.join(command)} ended with {process.returncode}")
        return Peak(usage.ru_maxrss * 1024 / 1e9, time.monotonic() - start)


def encoded(case: Case) -> tuple[float, int]:
    """Encode a clip as `python -m turbovsr` does, without upscaling; returns the peak in GB and the file's bytes."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (case.height // 8, case.width // 8, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (case.width, case.height), interpolation=cv2.INTER_CUBIC)
    settings = Encoding("h264").settings(case.height, case.width, repeatable=True)
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        video = Path(folder, "sr.mp4")
        with created(video) as container:
            encoder = Encoder(container, settings, (case.height, case.width), Fraction(24), Format(), timed=False)
            for index in range(case.frames):
                encoder.add(np.roll(picture, 8 * index, axis=1))
            encoder.finish()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, video.stat().st_size


def rows(arguments: argparse.Namespace) -> Iterator[tuple[Case, str, str, str]]:
    """Yield case, weights, precision and output of each run: as chosen, for the rest those of the limit."""
    weights = arguments.weights or ("nano", "nano-real")
    precisions = arguments.precision or ("auto", "float32")
    if arguments.case or arguments.output:
        cases = arguments.case or [Case.parse(text) for text in (*CASES, *LARGEST_CHUNKS)]
        yield from product(cases, weights, precisions, arguments.output or ("folder",))
        return
    folders, videos = ([Case.parse(text) for text in texts] for texts in ((*CASES, *LARGEST_CHUNKS), VIDEOS))
    yield from product(folders, weights, precisions, ("folder",))
    yield from product(videos, weights, precisions, ("mp4",))
    yield from product(videos[-1:], weights, precisions, ("mkv", "mkv-10"))


def main() -> int:
    parser = Parser("python -m studies.memory", (__doc__ or "").strip())
    parser.add_argument("--case", type=Case.parse, action="append", help="WIDTHxHEIGHT:FRAMES of the LR clip")
    parser.add_argument("--precision", action="append", choices=("auto", "bfloat16", "float32"))
    parser.add_argument("--weights", action="append", help="a packaged name or a file")
    parser.add_argument("--output", action="append", choices=OUTPUTS)
    parser.add_argument("--encoder", type=Case.parse, help="WIDTHxHEIGHT:FRAMES of SR frames: only the encoder")
    arguments = parser.parse_args()
    if arguments.encoder:
        gigabytes, size = encoded(arguments.encoder)
        print(f"the encoder alone, {arguments.encoder.frames} frames: {gigabytes:.2f} GB, {size:,} bytes")
        return 0
    print("| LR frames | weights | precision | output | peak [GB] | seconds |")
    print("|---|---|---|---|---:|---:|", flush=True)
    over = 0
    for case, weights, precision, output in rows(arguments):
        measured = peak(case, weights, precision, output)
        over += measured.gigabytes >= BAR_GB
        clip = f"{case.frames} of {case.width}x{case.height}"
        row = (clip, weights, precision, output, f"{measured.gigabytes:.2f}", f"{measured.seconds:.0f}")
        print(f"| {' | '.join(row)} |", flush=True)
    print(f"{over} over {BAR_GB:g} GB" if over else f"all under {BAR_GB:g} GB")
    return 1 if over else 0


if __name__ == "__main__":
    process(lambda _: guarded("studies.memory", main))
