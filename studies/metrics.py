"""Scores and their speed compared with metric libraries, in two tables.

    python -m studies.metrics [--only digits|speed] [--repeats 15] [--threads 1] [--json FILE]

Libraries that are not installed are named and left out. Needs the test assets: `python -m bench data fetch test`.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from statistics import median

import cv2
import numpy as np
import torch

from bench import assets
from bench.datasets.sample import Sample
from bench.metrics.gt_features import GtFeatures
from frames.command_line import Parser, guarded, process
from frames.degradations import Bicubic
from frames.errors import OK, one_line
from frames.images import read_image
from frames.video import read_video
from studies import libraries
from studies.libraries import LIBRARY_METRICS, PUBLISHED, Score
from studies.outputs import out_file

TID = ("I03", "I04", "I06", "I08", "I19")
UPSCALINGS = {"bicubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR}
SIZE = (720, 1280)
SLOW_ROUNDS = 3  # rounds of a library that takes longer than SLOW_S for a call
SLOW_S = 10.0


def pairs() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield (name, SR, GT): five TID2013 pictures, and sample frames reduced by 4 and enlarged in two ways."""
    for name in TID:
        sr, gt = (read_image(assets.path(f"tid2013/{kind}/{name}.bmp")) for kind in ("dist", "ref"))
        yield f"tid2013/{name}", sr, gt
    sample = Sample(name="sample", domain="vimeo", scale=4, degradation=Bicubic(scale=4))
    for clip in sample.clips():
        for index, (lr, gt) in enumerate(zip(clip.lr(), clip.gt(), strict=True)):
            for way in ("bicubic", "nearest") if index % 4 == 0 else ():
                yield f"{clip.name}/{index}/{way}", upscaled(lr, gt.shape[:2], way), gt


def upscaled(lr: np.ndarray, size: tuple[int, int], way: str) -> np.ndarray:
    return cv2.resize(lr, size[::-1], interpolation=UPSCALINGS[way])


def digits() -> list[dict]:
    """Compare scores; one row for each metric and library, with the largest difference over all pairs."""
    material = list(pairs())
    rows = []
    for name, published in PUBLISHED.items():
        score = libraries.frame_metric(name).score
        found = {pair.split("/")[1]: score(sr, gt) for pair, sr, gt in material if pair.startswith("tid2013")}
        worst = max(abs(found[pair] - value) for pair, value in published.items())
        rows.append({"metric": name, "library": "published values", "settings": "4 digits", "pairs": len(published),
                     "max_difference": worst, "bar": 1e-4})  # fmt: skip
    known: dict[str, list[float]] = {}  # our scores by signature, taken once
    for library in LIBRARY_METRICS:
        row = {"metric": library.metric, "library": f"{library.package} {libraries.version(library.package)}",
               "settings": library.settings, "pairs": len(material), "max_difference": None,
               "bar": library.bar}  # fmt: skip
        try:
            theirs = library.theirs()
        except Exception as error:  # an optional library: absent, or it wants a download
            row["absent"] = one_line(error)
        else:
            metric = library.ours()
            if metric.signature not in known:
                known[metric.signature] = [metric.score(sr, gt) for _, sr, gt in material]
            scores = zip(material, known[metric.signature], strict=True)
            row["max_difference"] = max(abs(theirs(sr, gt) - own) for (_, sr, gt), own in scores)
        rows.append(row)
        print(digits_line(row), flush=True)
    for row in rows[: len(PUBLISHED)]:
        print(digits_line(row))
    return rows


def digits_line(row: dict) -> str:
    start = f"{row['metric']:11} {row['library']:22} {row['settings']:22}"
    if row["max_difference"] is None:
        return f"{start} absent: {row['absent']}"
    verdict = "same" if row["max_difference"] <= row["bar"] else "DIFFERS"
    difference = f"max |difference| {row['max_difference']:.2e}  (bar {row['bar']:.0e}) {verdict}"
    return f"{start} {row['pairs']:3} pairs  {difference}"


def speed(repeats: int) -> list[dict]:
    """Compare speed; one row for each metric and library, with times of interleaved repetitions and their ratio."""
    gt = next(iter(read_video(assets.path("sample/bunny.mp4"), 35, 36)))
    if gt.shape[:2] != SIZE:
        raise ValueError(f"sample/bunny.mp4: frames of {gt.shape[1]}x{gt.shape[0]} where 1280x720 was expected")
    lr = Bicubic(scale=4)(gt)
    methods = [upscaled(lr, SIZE, way) for way in UPSCALINGS]
    times: dict[str, list[float]] = {}
    jobs: dict[str, Callable[[], object]] = {}
    absent: dict[str, str] = {}
    for name, job in _jobs(methods, gt):
        if isinstance(job, str):
            absent[name] = job
            continue
        job()  # warm-up
        jobs[name], times[name] = job, []
    for _ in range(repeats):
        for name in times:
            if len(times[name]) >= SLOW_ROUNDS and median(times[name]) > SLOW_S:
                continue
            started = time.perf_counter()
            jobs[name]()
            times[name].append(time.perf_counter() - started)
    rows = []
    for name, own, library, bar in (
        ("ssim", "ssim ours", "ssim scikit-image", 5), ("ssim", "ssim ours", "ssim pyiqa", 50),
        ("psnr", "psnr ours", "psnr scikit-image", 10),
        ("lpips-alex, three methods", "lpips ours", "lpips lpips", 1.7),
    ):  # fmt: skip
        row: dict[str, object] = {"metric": name, "library": library.split()[1], "bar": bar,
                                  "ours_ms": [1e3 * s for s in times[own]]}  # fmt: skip
        if library in times:
            row |= {
                "library_ms": [1e3 * s for s in times[library]],
                "ratio": median(times[library]) / median(times[own]),
            }
        else:
            row["absent"] = absent[library]
        rows.append(row)
        print(speed_line(row))
    return rows


def _jobs(methods: list[np.ndarray], gt: np.ndarray) -> Iterator[tuple[str, Callable[[], object] | str]]:
    """Yield (name, function to time, or why there is none). All start from the same uint8 frames."""
    sr, features = methods[0], GtFeatures()
    psnr, ssim, lpips = (libraries.frame_metric(name) for name in ("psnr", "ssim", "lpips-alex"))

    def three_with_shared_truth() -> list[float]:
        features.clear()
        return [features.score(lpips, each, gt) for each in methods]

    def job(make: Callable[[], Score], frames: list[np.ndarray]) -> Callable[[], object] | str:
        try:
            score = make()
        except Exception as error:  # an optional library: absent, or it wants a download
            return one_line(error)
        return lambda: [score(each, gt) for each in frames]

    yield "psnr ours", lambda: psnr.score(sr, gt)
    yield "psnr scikit-image", job(libraries.skimage_psnr, [sr])
    yield "ssim ours", lambda: ssim.score(sr, gt)
    yield "ssim scikit-image", job(libraries.skimage_ssim, [sr])
    yield "ssim pyiqa", job(lambda: libraries.pyiqa_metric("ssim", test_y_channel=False), [sr])
    yield "lpips ours", three_with_shared_truth
    yield "lpips lpips", job(lambda: libraries.lpips_package("alex"), methods)


def speed_line(row: dict) -> str:
    start = f"{row['metric']:26} {row['library']:14}"
    if "ratio" not in row:
        return f"{start} absent: {row['absent']}"
    ours, theirs = (f"{median(row[key]):9.2f} ms (n={len(row[key])})" for key in ("ours_ms", "library_ms"))
    verdict = "reached" if row["ratio"] >= row["bar"] else "MISSED"
    return f"{start} ours {ours}  theirs {theirs}  {row['ratio']:6.2f}x (bar {row['bar']}x) {verdict}"


def main() -> int:
    parser = Parser("python -m studies.metrics", (__doc__ or "").strip())
    parser.add_argument("--only", choices=("digits", "speed"), help="one of the two tables")
    parser.add_argument("--repeats", type=int, default=15, help="interleaved rounds of the speed table (default 15)")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch and OpenCV (default 1)")
    parser.add_argument("--json", type=out_file, metavar="FILE", help="also write all figures to this file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    about = {"threads": options.threads, "cores": os.cpu_count(), "load_at_start": load, "machine": platform.machine(),
             "python": platform.python_version(), "torch": torch.__version__, "opencv": cv2.__version__}  # fmt: skip
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    found: dict = {"about": about}
    if options.only != "speed":
        print("\nSame digits, real image pairs")
        found["digits"] = digits()
    if options.only != "digits":
        print("\nSpeed, one 1280x720 frame, medians of interleaved repetitions in one process")
        found["speed"] = speed(options.repeats)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    return OK


if __name__ == "__main__":
    process(lambda _: guarded("studies.metrics", main))
