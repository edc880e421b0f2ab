"""Runs of `python -m turbovsr` that are killed at random moments and repeated must give an undisturbed run's bytes.

python -m studies.video_kills                                   # 2,000 frames of 32x24
python -m studies.video_kills --frames 300 --width 80 --height 64

It prints a line for each kill, then whether the bytes are the same; the exit code is 1 if they are not.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from frames.codecs import CODECS
from frames.command_line import Parser, guarded, process
from frames.errors import UserError
from frames.video import write_video
from turbovsr.partial import folder_of


def video(path: Path, frames: int, height: int, width: int) -> Path:
    """Write a video of a moving pattern with a little noise."""
    y, x = np.mgrid[:height, :width] / 8
    noise = np.random.default_rng(0)

    def picture(time: int) -> np.ndarray:
        waves = np.stack([np.sin(x + time / 9), np.cos(y - time / 7), np.sin(x + y + time / 50)], -1)
        return (127 + 90 * waves + noise.normal(0, 4, waves.shape)).clip(0, 255).astype(np.uint8)

    write_video(path, map(picture, range(frames)), 25)
    return path


def started(given: Path, output: Path, codec: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "turbovsr", given, output, "--codec", codec], stderr=subprocess.DEVNULL
    )


def undisturbed_run(given: Path, output: Path, codec: str) -> float:
    """Run undisturbed; returns the seconds from the first sign of work to the end."""
    process, begin = started(given, output, codec), None
    while process.poll() is None:
        begin = begin or (time.monotonic() if folder_of(output).exists() else None)
        time.sleep(0.01)
    if process.returncode or begin is None:
        raise UserError(f"the undisturbed run ended with {process.returncode}")
    return time.monotonic() - begin


def killed(given: Path, output: Path, codec: str, after: float) -> bool:
    """Run, and kill the run `after` seconds after it has begun to work; False if it ended before."""
    (folder_of(output) / "lock").unlink(missing_ok=True)  # the run makes a new one when it begins to work
    process = started(given, output, codec)
    while process.poll() is None and not (folder_of(output) / "lock").exists():
        time.sleep(0.01)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
    return process.wait() != 0


def main() -> int:
    """Parse the options and print the lines."""
    parser = Parser("python -m studies.video_kills", (__doc__ or "").strip())
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--height", type=int, default=24)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--codec", choices=tuple(CODECS), default="h264", help="default %(default)s")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        given = video(Path(folder) / "in.mp4", options.frames, options.height, options.width)
        whole, output = Path(folder) / "undisturbed.mp4", Path(folder) / "out.mp4"
        seconds = undisturbed_run(given, whole, options.codec)
        print(f"undisturbed run: {seconds:.1f} s of work, {whole.stat().st_size} bytes", flush=True)
        for number in range(options.kills):
            after = chance.uniform(0, seconds / options.kills)
            if not killed(given, output, options.codec, after):
                break
            parts = len(list(folder_of(output).glob("segment-*.json")))
            print(f"kill {number + 1} after {after:.1f} s: {parts} parts are done", flush=True)
        if not output.exists():
            undisturbed_run(given, output, options.codec)
        same = whole.read_bytes() == output.read_bytes()
    print(f"the same bytes: {'yes' if same else 'NO'}")
    return 0 if same else 1


if __name__ == "__main__":
    process(lambda _: guarded("studies.video_kills", main))
