"""Draw a training run: losses and scores over steps.

    python -m turbovsr.train.plot OUT [--save FILE.png]

OUT is the `out` of a training (all its stages) or the folder of one stage. Writes OUT/training.png unless told
otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

PACE = ("s/step", "samples/s", "lr", "gradient")


def read_log(path: Path) -> dict[str, dict[int, float]]:
    """Series of a `log.jsonl`: name -> {step: value}. Steps that were done again after a kill count once, the last
    time; a line that a kill cut short is passed over."""
    series: dict[str, dict[int, float]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entries = json.loads(line)
            step = entries.pop("step")
        except (json.JSONDecodeError, KeyError, AttributeError):
            continue
        for name, value in entries.items():
            if isinstance(value, (int, float)):
                series.setdefault(name, {})[step] = value
    return series


def panels(series: dict[str, dict[int, float]]) -> dict[str, dict[str, dict[int, float]]]:
    """The series by the panel they are drawn in: losses, pace, and a panel for each metric of the held-out clips."""
    result: dict[str, dict] = {}
    for name, points in series.items():
        if name.count("/") == 2:  # clip/latent/metric
            clip, latent, metric = name.split("/")
            result.setdefault(metric, {})[f"{clip}, {latent}"] = points
        else:
            result.setdefault(name if name in PACE else "losses", {})[name] = points
    order = ["losses", "lpips", "psnr-y", "gradient", "lr", "samples/s"]
    return {name: result[name] for name in order if name in result}


def draw(logs: dict[str, Path], to: Path) -> None:
    """A row of panels for each stage's log."""
    rows = {stage: panels(read_log(path)) for stage, path in logs.items()}
    columns = max(len(row) for row in rows.values())
    figure, axes = pyplot.subplots(
        len(rows), columns, figsize=(4.2 * columns, 3.2 * len(rows)), squeeze=False, layout="constrained"
    )
    for line, (stage, row) in zip(axes, rows.items()):
        for axis in line[len(row) :]:
            axis.set_visible(False)
        for axis, (name, curves) in zip(line, row.items()):
            for label, points in curves.items():
                steps = sorted(points)
                axis.plot(steps, [points[s] for s in steps], label=label, marker="." if len(steps) < 40 else "")
            axis.set_title(f"{stage}: {name}", fontsize=9)
            axis.set_xlabel("step", fontsize=8)
            axis.tick_params(labelsize=7)
            axis.grid(alpha=0.3)
            if name == "losses" and all(v > 0 for points in curves.values() for v in points.values()):
                axis.set_yscale("log")
            if len(curves) > 1:
                axis.legend(fontsize=6)
    figure.savefig(to, dpi=110)
    pyplot.close(figure)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--save", type=Path, help="where the picture goes")
    args = parser.parse_args(argv)
    found = [args.out / "log.jsonl"] if (args.out / "log.jsonl").is_file() else list(args.out.glob("*/log.jsonl"))
    logs = {path.parent.name: path for path in sorted(found, key=lambda p: p.stat().st_mtime) if read_log(path)}
    if not logs:
        print(
            f"turbovsr.train.plot: {args.out}: no log.jsonl with a line in it; name the out of a training",
            file=sys.stderr,
        )
        return 3
    to = args.save or args.out / "training.png"
    draw(logs, to)
    print(to)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
