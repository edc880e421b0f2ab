"""A folder in which every documented path exists: tiny sets in the layouts of the real ones, and runs made before.

A document that needs another path or another word in capitals gets it here, or makes it by a command of its own.
"""

from __future__ import annotations

import json
import shutil
import venv
from pathlib import Path

import cv2
import torch
from skimage import data

from baselines.realesrgan.networks import SRVGGNet
from bench.__main__ import main
from bench.metrics.agreement import METRICS
from frames.images import write_png
from tests import phone

ELSEWHERE = Path(__file__).parents[1] / "elsewhere" / "upscale.py"
ROOT = Path(__file__).parents[2]

CAPITALS = {"RUN", "RUN_A", "RUN_B", "GOLDEN", "DIR", "DIR_SR", "DIR_GT", "OUT", "DATASET"}
"""Words in capitals that stand for a folder of the reader's: they exist in the sandbox under that very name, but for
OUT, which is to be written, and DATASET, which is a JSON file. IN, two letters long, is one as well.
"""

VID4 = {"calendar": 41, "city": 34, "foliage": 49, "walk": 47}
REDS4 = {"000": 100, "011": 100, "015": 100, "020": 100}
SIZE = (64, 96)  # height, width of GT


def build(root: Path) -> None:
    """Fill an empty folder; the working directory must be that folder."""
    photo = data.astronaut()
    _set(root / "data" / "Vid4", VID4, "GT/{}", "BIx4/{}", photo)
    _set(root / "data" / "REDS4", REDS4, "GT/{}", "sharp_bicubic/{}", photo)
    _set(root / "data" / "UDM10", {"000": 32}, "GT/{}", "LQ/{}", photo)
    _set(root / "data" / "VideoLQ", {"000": 2}, "GT/{}", "{}", photo)
    _set(root / "data" / "RealVSR", {"016": 50}, "GT/{}", "LQ/{}", photo, scale=1)
    write_png(root / "data" / "images4k" / "astronaut.png", photo)
    (root / "path" / "to").mkdir(parents=True)
    for name in ("Vid4", "REDS4", "images4k"):
        (root / "path" / "to" / name).symlink_to(root / "data" / name)
    for name, source in {"path/to/GT": "GT", "path/to/LR": "BIx4", "my/gt": "GT", "my/lr": "BIx4"}.items():
        for clip in ("calendar", "city"):
            for index in range(2):
                copied = root / "data" / "Vid4" / source / clip / f"{index:08d}.png"
                target = root / name / clip / copied.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(copied, target)
    shutil.copytree(root / "my" / "gt", root / "their" / "frames")
    for name in ("DIR", "DIR_SR", "DIR_GT"):
        (root / name).symlink_to(root / "my" / "gt")
    (root / "IN").symlink_to(root / "my" / "lr" / "city")
    phone.record(root / "film.mp4", seconds=1)
    phone.record(root / "films" / "other.mp4", seconds=1)
    shutil.copy(ELSEWHERE, root / "their" / "upscale.py")
    (root / "my" / "weights").mkdir()
    torch.save(SRVGGNet(layers=1, channels=8).state_dict(), root / "my" / "weights" / "compact.pth")
    (root / "DATASET.json").write_text(json.dumps(_rated()))
    venv.create(root / "their" / ".venv", symlinks=True)
    _runs(root)


def _rated() -> list[dict]:
    """Rated clips in the form of AVT-VQDB-UHD-1-VSR: two upscalings of one input."""
    given = {"source": "film", "source_encoding": "film_360p", **dict.fromkeys(METRICS, 0.5)}
    return [given | {"method": name, "mos": mos, "dists": 1 / mos} for name, mos in (("one", 2.0), ("other", 4.0))]


def _set(root: Path, clips: dict[str, int], gt: str, lr: str, photo, scale: int = 4) -> None:
    """Whole clips of their official lengths; a frame is a window that moves over a photograph, as often as needed."""
    height, width = SIZE
    for clip, count in clips.items():
        for index in range(count):
            at = index % 8
            window = photo[100 + 2 * at : 100 + 2 * at + height, 180 + at : 180 + at + width]
            write_png(root / gt.format(clip) / f"{index:08d}.png", window)
            small = cv2.resize(window, (width // scale, height // scale), interpolation=cv2.INTER_AREA)
            write_png(root / lr.format(clip) / f"{index:08d}.png", small)


def _runs(root: Path) -> None:
    """One run under all the names that documents use for a run that is there already."""
    out = root / "results" / "golden" / "sample"
    words = "method=bicubic,realesrgan,turbovsr data=sample data.clips=[city] data.frames=2 timing=once"
    code = main(["run", *words.split(), "metrics=[psnr,ssim,lpips-alex]", f"out={out}"])
    assert code == 0, "the sandbox's own run failed"
    for name in ("results/runs/demo", "RUN", "RUN_A", "RUN_B", "GOLDEN"):
        shutil.copytree(out, root / name)
    published = ROOT / "results" / "published"
    if published.is_dir():
        (root / "results" / "published").symlink_to(published)
