"""Intact material to be damaged: clips, videos, runs, a store, configurations, weights."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

CLIPS = ("left", "right")
FRAMES = 3
SIZE = (48, 64)  # height, width of GT
MEDIA = ("still.png", "still.jpg", "still.bmp", "clip.mp4", "clip.mkv")
FULL_RUN = ("method=bicubic,nearest", "metrics=[psnr,ssim]")
METRIC = "_target_: bench.metrics.psnr.build\nsummary: mine\ncolor: null\nprotocol: ${protocol}\n"
METHOD = "_target_: baselines.interpolation.Interpolation\nname: mine\nkernel: bicubic\nscale: ${scale}\n"


def make(root: Path) -> None:
    """Write the material into an empty folder, which becomes the working directory."""
    import cv2
    from skimage import data

    from bench.__main__ import main
    from frames.images import write_png
    from frames.video import write_video

    os.chdir(root)
    os.environ["BENCH_STORE"] = "store"
    os.environ["BENCH_KEY"] = "of somebody else"
    photo = data.astronaut()
    for number, clip in enumerate(CLIPS):
        for index in range(FRAMES):
            gt = np.ascontiguousarray(_window(photo, 60 * number, index))
            write_png(root / "gt" / clip / f"{index:08d}.png", gt)
            write_png(root / "lr" / clip / f"{index:08d}.png", cv2.resize(gt, (16, 12), interpolation=cv2.INTER_AREA))
    frames = [np.ascontiguousarray(_window(photo, 0, index)) for index in range(8)]
    for name in ("still.png", "still.jpg", "still.bmp"):
        cv2.imwrite(str(root / name), frames[0][..., ::-1])
    for name in ("clip.mp4", "clip.mkv"):
        write_video(root / name, iter(frames), 24)
    for group, text in (("method", METHOD), ("metric", METRIC)):
        (root / "mine" / group).mkdir(parents=True)
        (root / "mine" / group / "mine.yaml").write_text(text)
    small = ["data=folder", "data.gt=gt", "data.frames=1", "timing=once", "metrics=[psnr]", "store=store"]
    _called(main, ["run", "method=bicubic", *small, "out=plan", "workers=0"])
    _called(main, ["data", "degrade", "folder", "data.gt=gt", "--degradation", "bi", "degraded"])
    for out in ("run", "golden"):
        own = ["data=folder", "data.gt=gt", "timing=once", "save=frames", "store=store", f"out={out}"]
        _called(main, ["run", *FULL_RUN, *own])
        for plot in (*(root / out).glob("plot.*"), *(root / out).glob("table.*")):
            plot.unlink()
    _keep_costs(root / "results" / "store")


def _keep_costs(place: Path) -> None:
    """Store made-up costs of all metrics that can be built, because measuring them would take minutes."""
    from bench.commands import costs
    from bench.commands.list import is_open
    from bench.environment import device_name, snapshot
    from bench.groups import members
    from bench.metrics.registry import build, is_suite
    from bench.store.store import Store

    store, machine = Store(place), device_name(snapshot("cpu"))
    with store.in_use():
        for name, file in members("metric").items():
            if not is_open(file) and not is_suite(name):
                with suppress(Exception):  # weights or programs that are not at hand
                    store.keep_cost(costs.key_of(build(name)), machine, 0.01)


def _called(main: Callable[[list[str]], int], words: list[str]) -> None:
    if code := main(words):
        raise RuntimeError(f"{' '.join(words)}: exit code {code}")


def copy(root: Path, folder: Path) -> None:
    """Copy the material for one case."""
    shutil.copytree(root, folder, symlinks=True)


def snapshot(folder: Path, may_write: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file below a folder, except in places that the command may write to."""
    allowed = ("results", "out", "store", *may_write)
    found = {}
    for place, folders, names in os.walk(folder):
        inner = Path(place).relative_to(folder)
        if inner.parts and inner.parts[0].startswith(allowed):
            folders.clear()
            continue
        for name in names:
            path = inner / name
            if not path.parts[0].startswith(allowed):
                state = os.lstat(folder / path)
                found[str(path)] = (state.st_size, state.st_mtime_ns)
    return found


def _window(photo: np.ndarray, left: int, index: int) -> np.ndarray:
    height, width = SIZE
    return photo[80 + 2 * index : 80 + 2 * index + height, 180 + left + index : 180 + left + index + width]
