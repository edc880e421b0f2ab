"""How often the estimate of `frames.input_quality` is right, and the fit that its numbers come from.

    python -m studies.input_quality check [--gt FOLDER] [--count 100] [--seed 0]
    python -m studies.input_quality fit DATA [--count 2400] [--seed 31]

`check` makes inputs of five kinds in turn (clean, noisy, compressed, blurred, mixed) from the sample set, or from the
clips of a folder, and counts how often clean was told from degraded; exit code 1 below 95 of 100. `fit` makes inputs of
photographs and videos that `turbovsr.train.prepare` wrote, fits a logistic regression for each kind against clean, and
writes `frames/input_quality/detectors.py`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.datasets.folder import Folder
from bench.datasets.sample import Sample
from frames.degradations import Bicubic
from frames.degradations.once import Once
from frames.degradations.realbasicvsr import RealBasicVSR
from frames.errors import OK, REGRESSED
from frames.input_quality import estimate, features

DEGRADED = ("noisy", "compressed", "blurred", "mixed")
TABLE = Path(features.__file__).with_name("detectors.py")
CODED = 0.4  # share of the clean inputs of the fit that went through H.264 at CRF 4 to 14, as good videos have
RIDGE = 1.0
BAR = 0.95


def degraded(kind: str, gt: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """LR frames (T, h, w, 3) of one kind at x4, with parameters drawn at random, of GT (T, H, W, 3)."""
    if kind == "mixed":
        if rng.random() < 0.5:
            return RealBasicVSR()(gt, rng)
        blur, noise, jpeg, crf = rng.uniform(0.5, 3), rng.uniform(2, 10), int(rng.uniform(40, 80)), rng.uniform(22, 34)
        return Once(blur=blur, noise=noise, jpeg=jpeg, crf=crf)(gt, rng)
    degrade = {
        "clean": lambda: Once(),
        "noisy": lambda: Once(noise=rng.uniform(4, 20)),
        "compressed": lambda: Once(crf=rng.uniform(26, 38)),
        "blurred": lambda: Once(blur=rng.uniform(4, 8)),  # 1 to 2 LR pixels
    }[kind]()
    return degrade(gt, rng)


def check(gt_root: str | None, count: int, seed: int) -> int:
    """Print how many inputs of each kind were judged right; returns the exit code."""
    common = {"domain": "vimeo", "scale": 4, "degradation": Bicubic(4), "frames": 4}
    source = Folder(name="folder", root=None, gt=gt_root, **common) if gt_root else Sample(name="sample", **common)
    clips = [multiple_of_8(np.stack(list(clip.gt()))) for clip in source.clips()]
    right: dict[str, list[bool]] = {kind: [] for kind in ("clean", *DEGRADED)}
    for index in range(count):
        kind, rng = list(right)[index % len(right)], np.random.default_rng([seed, index])
        lr = degraded(kind, clips[index // len(right) % len(clips)], rng)
        found = estimate(np.moveaxis(lr, -1, 1))
        right[kind].append(found.degraded == (kind != "clean"))
        if not right[kind][-1]:
            print(f"{kind} input {index} taken for {found.reason}", file=sys.stderr)
    for kind, answers in right.items():
        print(f"{kind:<10} {sum(answers)} of {len(answers)}")
    total = sum(map(sum, right.values()))
    print(f"{'all':<10} {total} of {count}")
    return OK if total >= BAR * count else REGRESSED


def multiple_of_8(clip: np.ndarray) -> np.ndarray:
    """A clip cut to sides that are even at the LR size."""
    height, width = (side // 8 * 8 for side in clip.shape[1:3])
    return clip[:, :height, :width]


def training_inputs(data: Path, count: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Kinds and LR frames: crops of any size of photographs, and one to four frames of videos."""
    photos, shots = (sorted((data / name).glob("*.npy")) for name in ("photos", "shots"))
    rng = np.random.default_rng(seed)
    order = ("clean", "compressed", "noisy", "clean", "blurred", "mixed", "clean", "mixed")
    for index in range(count):
        kind = order[index % len(order)]
        wanted = [8 * int(rng.integers(24, 90)), 8 * int(rng.integers(32, 110))]
        if rng.random() < 0.55:
            clip = np.load(shots[rng.integers(len(shots))], mmap_mode="r")
            start = rng.integers(0, len(clip) - 4)
            clip = clip[start : start + int(rng.choice([1, 3, 4]))]
        else:
            clip = np.load(photos[rng.integers(len(photos))], mmap_mode="r")[None]
        height, width = (min(pair) // 8 * 8 for pair in zip(clip.shape[1:3], wanted))
        top, left = (rng.integers(0, side - size + 1) for side, size in zip(clip.shape[1:3], (height, width)))
        gt = np.array(clip[:, top : top + height, left : left + width])
        lr = degraded(kind, gt, rng)
        if kind == "clean" and rng.random() < CODED:
            lr = Once(crf=rng.uniform(4, 14))(gt, rng)
        yield kind, lr


def fit(kinds: list[str], numbers: np.ndarray) -> str:
    """The source of `detectors.py`: what the numbers are scaled by, and the weights of each kind."""
    centre, spread = numbers.mean(axis=0), numbers.std(axis=0)
    scaled = (numbers - centre) / spread
    inputs = np.concatenate([scaled, scaled**2, np.ones((len(scaled), 1))], axis=1)
    rows, kind_of = [], np.array(kinds)
    for kind in DEGRADED:
        chosen = (kind_of == kind) | (kind_of == "clean")
        rows.append(logistic(inputs[chosen], kind_of[chosen] == kind))
    return "\n".join(
        [
            '"""Written by `python -m studies.input_quality fit`: logistic regressions of each kind against clean."""',
            "",
            "import numpy as np",
            "",
            f"KINDS = {DEGRADED!r}",
            *(f"{name} = np.array({literal(values)})" for name, values in (("CENTRE", centre), ("SPREAD", spread))),
            "WEIGHTS = np.array([",
            *(f"    {literal(row)}," for row in rows),
            "])",
            "",
        ]
    )


def logistic(inputs: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Weights of a ridge-penalised logistic regression, both answers counting alike, by Newton's method."""
    weights, penalty = np.zeros(inputs.shape[1]), np.full(inputs.shape[1], RIDGE)
    penalty[-1] = 1e-6  # the offset is free
    balance = np.where(answers, 0.5 / answers.mean(), 0.5 / (1 - answers.mean()))
    for _ in range(60):
        odds = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        slope = inputs.T @ (balance * (odds - answers)) + penalty * weights
        curvature = (inputs * (balance * odds * (1 - odds))[:, None]).T @ inputs + np.diag(penalty)
        weights = weights - np.linalg.solve(curvature, slope)
    return weights


def literal(values: np.ndarray) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in values) + "]"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="studies.input_quality", description=__doc__.splitlines()[0])
    actions = parser.add_subparsers(dest="action", required=True)
    checking, fitting = actions.add_parser("check"), actions.add_parser("fit")
    checking.add_argument("--gt", help="a folder of clips instead of the sample set")
    checking.add_argument("--count", type=int, default=100)
    checking.add_argument("--seed", type=int, default=0)
    fitting.add_argument("data", type=Path)
    fitting.add_argument("--count", type=int, default=2400)
    fitting.add_argument("--seed", type=int, default=31)
    options = parser.parse_args(argv)
    if options.action == "check":
        return check(options.gt, options.count, options.seed)
    inputs = [(kind, features.measure(lr)) for kind, lr in training_inputs(options.data, options.count, options.seed)]
    kinds, numbers = zip(*inputs)
    TABLE.write_text(fit(list(kinds), np.array(numbers)), encoding="utf-8")
    print(f"fitted to {len(inputs)} inputs: {TABLE}")
    return OK


if __name__ == "__main__":
    sys.exit(main())
