"""Time of a whole scoring run compared with its slowest stage: reading, PSNR, SSIM and LPIPS should overlap.

    python -m studies.scoring

30 frames of 1280x720 and three predictions are on disk as PNG. Each stage is timed alone, then a run of the harness;
repetitions take turns, and medians are compared.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import torch

from bench.datasets.clip import Clip, build_clip
from bench.datasets.sources import FrameSource, image_files
from bench.metrics.protocol import RGB
from bench.metrics.registry import build
from bench.run.scoring import PredictionScores, score_together
from bench.timing.stats import median
from frames.command_line import Parser, guarded, process
from frames.degradations import Bicubic
from frames.errors import OK
from frames.images import write_png
from frames.video import read_video

STAGES = ("psnr", "ssim", "lpips-alex")


class InMemory:
    """Frames that need no reading."""

    where = "memory"

    def __init__(self, source: FrameSource) -> None:
        self._all, self.frames, self.size = list(source), source.frames, source.size

    def __iter__(self):
        return iter(self._all)


def main() -> int:
    parser = Parser("python -m studies.scoring", (__doc__ or "").strip())
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--threads", type=int, default=1, help="threads of torch (default 1: the other core reads and compares)"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        gt, predictions = _material(Path(folder), arguments.frames)
        on_disk, loaded = _clip(gt), _clip(InMemory(gt))
        kept = [InMemory(each) for each in predictions]
        cases: dict[str, Callable[[], None]] = {"reading": lambda: _read(gt, predictions)}
        for name in STAGES:
            cases[name] = partial(_score, loaded, kept, (name,))
        cases["whole run"] = lambda: _score(on_disk, predictions, STAGES)
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(arguments.repeats + 1):
            for name, case in cases.items():
                started = time.perf_counter()
                case()
                seconds[name].append(time.perf_counter() - started)
    medians = {name: median(values[1:]) for name, values in seconds.items()}  # the first round warms up
    for name, value in medians.items():
        print(f"{name:12} {value:7.2f} s")
    in_sequence = sum(value for name, value in medians.items() if name != "whole run")
    slowest = max((name for name in medians if name != "whole run"), key=medians.__getitem__)
    print(
        f"whole run : slowest stage ({slowest}) = {medians['whole run'] / medians[slowest]:.2f} (bar 1.2); "
        f"one after the other it would be {in_sequence / medians[slowest]:.2f}"
    )
    return OK


def _material(folder: Path, frames: int) -> tuple[FrameSource, list[FrameSource]]:
    """Write GT from the sample's Big Buck Bunny, and three predictions by three ways of enlarging its LR frames."""
    from bench import assets

    names = ("gt", "nearest", "linear", "cubic")
    for index, frame in enumerate(read_video(assets.path("sample/bunny.mp4"), 0, frames)):
        write_png(folder / "gt" / f"{index:08d}.png", frame)
        small = Bicubic(4)(frame)
        for name, flag in zip(names[1:], (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC)):
            large = cv2.resize(small, (frame.shape[1], frame.shape[0]), interpolation=flag)
            write_png(folder / name / f"{index:08d}.png", large)
    sources: list[FrameSource] = [image_files(sorted((folder / name).iterdir())) for name in names]
    return sources[0], sources[1:]


def _clip(gt: FrameSource) -> Clip:
    return build_clip("clip", scale=4, fps=24, gt=gt, lr=None, degradation=Bicubic(4))


def _read(gt: FrameSource, predictions: list[FrameSource]) -> None:
    for source in (gt, *predictions):
        for _ in source:
            pass


def _score(clip: Clip, predictions: Sequence[FrameSource], names: tuple[str, ...]) -> None:
    sheets = [PredictionScores(frames, {name: build(name) for name in names}, RGB) for frames in predictions]
    score_together(sheets, clip, lambda: None)
    for sheet in sheets:
        if sheet.error:
            raise sheet.error


if __name__ == "__main__":
    process(lambda _: guarded("studies.scoring", main))
