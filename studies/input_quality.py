"""Accuracy of the estimate of `frames.input_quality`, and the fit of its numbers.

    python -m studies.input_quality check [--gt FOLDER] [--count 100] [--seed 0] [--processed]
    python -m studies.input_quality fit DATA [--count 4200] [--seed 31]

`check` makes inputs of five kinds in turn (clean, noisy, compressed, blurred, mixed) from the sample set, or from the
clips of a folder, and counts how often clean was told from degraded; exit code 1 below 95 of 100. With `--processed` it
makes them of the four middle kinds instead: coded and then reduced, enlarged and then coded, coded twice, denoised and
sharpened. `fit` makes inputs of photographs and videos that `turbovsr.train.prepare` wrote, fits a logistic regression
for each kind against clean, and writes `frames/input_quality/detectors.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill as wrapped
from typing import Any

import numpy as np

from bench.datasets.folder import Folder
from bench.datasets.sample import Sample
from frames.command_line import Parser, guarded, process
from frames.degradations import Bicubic
from frames.errors import OK, REGRESSED, UserError
from frames.input_quality import estimate, features
from frames.input_quality.estimate import FARTHEST
from studies.input_kinds import DEGRADED, PROCESSED, clean_otherwise, degraded

TABLE = Path(features.__file__).with_name("detectors.py")
OTHERWISE = 0.6  # share of the clean inputs of the fit that are made in other ways than bicubic (`clean_otherwise`)
RIDGE = 1.0
CLEAN = 0.75  # weight of the clean inputs in a fit, the total being 1: most right answers among inputs left out of it
BAR = 0.95
ORDER = (  # of the inputs of the fit
    *("clean", "compressed", "noisy", "clean", "processed", "blurred"),
    *("mixed", "clean", "processed", "mixed", "clean", "processed"),
)


def check(gt_root: str | None, count: int, seed: int, kinds: tuple[str, ...]) -> int:
    """Print how many inputs of each kind were judged right; returns the exit code."""
    common: dict[str, Any] = {"domain": "vimeo", "scale": 4, "degradation": Bicubic(4), "frames": 4}
    source = Folder(name="folder", root=None, gt=gt_root, **common) if gt_root else Sample(name="sample", **common)
    clips = [multiple_of_8(np.stack(list(clip.gt()))) for clip in source.clips()]
    right: dict[str, list[bool]] = {kind: [] for kind in kinds}
    for index in range(count):
        kind, rng = list(right)[index % len(right)], np.random.default_rng([seed, index])
        lr = degraded(kind, clips[index // len(right) % len(clips)], rng)
        found = estimate(np.moveaxis(lr, -1, 1))
        right[kind].append(found.degraded == (kind != "clean"))
        if not right[kind][-1]:
            print(f"{kind} input {index} taken for {found.reason}", file=sys.stderr)
    for kind, answers in right.items():
        print(f"{kind:<14} {sum(answers)} of {len(answers)}")
    total = sum(map(sum, right.values()))
    print(f"{'all':<14} {total} of {count}")
    return OK if total >= BAR * count else REGRESSED


def multiple_of_8(clip: np.ndarray) -> np.ndarray:
    """Crop a clip to sides that are multiples of 8, so that they are even at the LR size."""
    height, width = (side // 8 * 8 for side in clip.shape[1:3])
    return clip[:, :height, :width]


def training_inputs(data: Path, count: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield kinds and LR frames, made from crops of photographs and from one, three or four frames of videos.

    Raises:
        UserError: there are no photographs or no videos.
    """
    photos, shots = (sorted((data / name).glob("*.npy")) for name in ("photos", "shots"))
    if not (photos and shots):
        raise UserError(f"{data}: no photos/*.npy and shots/*.npy; name what python -m turbovsr.train.prepare wrote")
    rng = np.random.default_rng(seed)
    for index in range(count):
        turn = ORDER[index % len(ORDER)]
        wanted = [8 * int(rng.integers(24, 90)), 8 * int(rng.integers(32, 110))]
        if rng.random() < 0.55:
            clip = np.load(shots[rng.integers(len(shots))], mmap_mode="r")
            start = rng.integers(0, max(1, len(clip) - 4))
            clip = clip[start : start + int(rng.choice([1, 3, 4]))]
        else:
            clip = np.load(photos[rng.integers(len(photos))], mmap_mode="r")[None]
        height, width = (min(pair) // 8 * 8 for pair in zip(clip.shape[1:3], wanted))
        top, left = (rng.integers(0, side - size + 1) for side, size in zip(clip.shape[1:3], (height, width)))
        gt = np.array(clip[:, top : top + height, left : left + width])
        kind = PROCESSED[rng.integers(len(PROCESSED))] if turn == "processed" else turn
        otherwise = kind == "clean" and rng.random() < OTHERWISE
        yield kind, clean_otherwise(gt, rng) if otherwise else degraded(kind, gt, rng)


def fit(kinds: list[str], numbers: np.ndarray) -> str:
    """Fit each kind against clean; returns the source of `detectors.py`."""
    centre, spread = numbers.mean(axis=0), numbers.std(axis=0)
    scaled = np.clip((numbers - centre) / spread, -FARTHEST, FARTHEST)
    inputs = np.concatenate([scaled, scaled**2, np.ones((len(scaled), 1))], axis=1)
    rows, kind_of = [], np.array(kinds)
    for kind in (*DEGRADED, *PROCESSED):
        chosen = (kind_of == kind) | (kind_of == "clean")
        rows.append(logistic(inputs[chosen], kind_of[chosen] == kind))
    return source(centre, spread, np.array(rows))


def source(centre: np.ndarray, spread: np.ndarray, weights: np.ndarray) -> str:
    """Format the numbers as the source of `detectors.py`, rounded to four digits."""
    numbers_of = {"CENTRE": centre[None], "SPREAD": spread[None], "WEIGHTS": weights}
    return "\n".join(
        [
            '"""Written by `python -m studies.input_quality fit`: logistic regressions of each kind against clean."""',
            "",
            "import numpy as np",
            "",
            "KINDS = (" + ", ".join(f'"{kind}"' for kind in (*DEGRADED, *PROCESSED)) + ")",
            "",
            "",
            "def _numbers(text: str) -> np.ndarray:",
            "    return np.array(text.split(), float)",
            "",
            "",
            *(f'{name} = _numbers("""\n{literal(table)}\n"""){shape(table)}' for name, table in numbers_of.items()),
            "",
        ]
    )


def logistic(inputs: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Fit a logistic regression with ridge penalty by Newton's method; the answers "no" have the weight `CLEAN`."""
    weights, penalty = np.zeros(inputs.shape[1]), np.full(inputs.shape[1], RIDGE)
    penalty[-1] = 1e-6  # the offset is free
    balance = np.where(answers, (1 - CLEAN) / answers.mean(), CLEAN / (1 - answers.mean()))
    for _ in range(60):
        odds = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        slope = inputs.T @ (balance * (odds - answers)) + penalty * weights
        curvature = (inputs * (balance * odds * (1 - odds))[:, None]).T @ inputs + np.diag(penalty)
        weights = weights - np.linalg.solve(curvature, slope)
    return weights


def literal(table: np.ndarray) -> str:
    """Format a table with a paragraph for each row, in lines short enough for a source file."""
    return "\n".join(wrapped(" ".join(f"{value:.4g}" for value in row), 118) for row in table)


def shape(table: np.ndarray) -> str:
    return ".reshape(len(KINDS), -1)" if len(table) > 1 else ""


def main() -> int:
    parser = Parser("python -m studies.input_quality", (__doc__ or "").strip())
    actions = parser.add_subparsers(dest="action", required=True)
    checking, fitting = actions.add_parser("check"), actions.add_parser("fit")
    checking.add_argument("--gt", help="a folder of clips instead of the sample set")
    checking.add_argument("--count", type=int, default=100)
    checking.add_argument("--seed", type=int, default=0)
    checking.add_argument("--processed", action="store_true", help="inputs of the four middle kinds")
    fitting.add_argument("data", type=Path)
    fitting.add_argument("--count", type=int, default=4200)
    fitting.add_argument("--seed", type=int, default=31)
    options = parser.parse_args()
    if options.action == "check":
        kinds = PROCESSED if options.processed else ("clean", *DEGRADED)
        return check(options.gt, options.count, options.seed, kinds)
    inputs = [(kind, features.measure(lr)) for kind, lr in training_inputs(options.data, options.count, options.seed)]
    kinds, numbers = zip(*inputs)
    TABLE.write_text(fit(list(kinds), np.array(numbers)), encoding="utf-8")
    print(f"fitted to {len(inputs)} inputs: {TABLE}")
    return OK


if __name__ == "__main__":
    process(lambda _: guarded("studies.input_quality", main))
