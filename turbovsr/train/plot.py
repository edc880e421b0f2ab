"""Plot the losses and scores of a training over its steps.

OUT is the `out` of a training (all its stages) or the folder of one stage.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from frames.atomic import replacing
from frames.command_line import Parser, guarded, importing, process
from frames.errors import OK, UserError
from frames.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PROGRAM = "turbovsr.train.plot"
FORMATS = (".png", ".svg", ".pdf")
PACE = ("s/step", "samples/s", "tokens/s", "TFLOP/s", "MFU", "lr", "gradient")


def read_log(path: Path) -> dict[str, dict[int, float]]:
    """Read the series of a `log.jsonl`: name -> {step: value}.

    Steps that were repeated after a kill count once, the last time; lines that cannot be read are skipped.
    """
    series: dict[str, dict[int, float]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entries = json.loads(line)
            step = entries.pop("step")
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            continue
        if not _is_number(step):
            continue
        for name, value in entries.items():
            if _is_number(value):
                series.setdefault(name, {})[step] = value
    return series


def panels(series: dict[str, dict[int, float]]) -> dict[str, dict[str, dict[int, float]]]:
    """Group the series by panel: losses, pace, and a panel for each metric of the held-out clips."""
    result: dict[str, dict[str, dict[int, float]]] = {}
    for name, points in series.items():
        if name.count("/") == 2:  # clip/latent/metric
            clip, latent, metric = name.split("/")
            result.setdefault(metric, {})[f"{clip}, {latent}"] = points
        else:
            result.setdefault(name if name in PACE else "losses", {})[name] = points
    order = ["losses", "lpips", "dists", "psnr-y", "gradient", "lr", "samples/s", "tokens/s", "MFU"]
    return {name: result[name] for name in order if name in result}


def draw(logs: dict[str, Path], to: Path) -> None:
    """Write a figure with a row of panels for each stage's log."""
    with importing():
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot

    rows = {stage: panels(read_log(path)) for stage, path in logs.items()}
    columns = max(len(row) for row in rows.values())
    figure, axes = pyplot.subplots(
        len(rows), columns, figsize=(4.2 * columns, 3.2 * len(rows)), squeeze=False, layout="constrained"
    )
    for line, (stage, row) in zip(axes, rows.items()):
        for axis in line[len(row) :]:
            axis.set_visible(False)
        for axis, (name, curves) in zip(line, row.items()):
            _draw_panel(axis, f"{stage}: {name}", curves)
    with replacing(to) as temporary:
        figure.savefig(temporary, dpi=110)
    pyplot.close(figure)


def _draw_panel(axis: Axes, title: str, curves: dict[str, dict[int, float]]) -> None:
    for label, points in curves.items():
        steps = sorted(points)
        axis.plot(steps, [points[s] for s in steps], label=_plain_text(label), marker="." if len(steps) < 40 else "")
    axis.set_title(_plain_text(title), fontsize=9)
    axis.set_xlabel("step", fontsize=8)
    axis.tick_params(labelsize=7)
    axis.grid(alpha=0.3)
    if "losses" in title and all(v > 0 for points in curves.values() for v in points.values()):
        axis.set_yscale("log")
    if len(curves) > 1:
        axis.legend(fontsize=6)


def _plain_text(text: str) -> str:
    """Escape a text so that matplotlib does not read it as mathematics."""
    return printable(text).replace("$", r"\$")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def main(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    return guarded(PROGRAM, lambda: _run(argv))


def _run(argv: list[str]) -> int:
    parser = Parser(f"python -m {PROGRAM}", (__doc__ or "").strip())
    parser.add_argument("out", type=Path, help="the training's folder (its out=)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="the figure's file (default OUT/training.png)")
    args = parser.parse_args(argv)
    to = args.save or args.out / "training.png"
    if to.suffix.lower() not in FORMATS:
        raise UserError(f"--save {to}: give a name that ends in {', '.join(FORMATS)}")
    found = [args.out / "log.jsonl"] if (args.out / "log.jsonl").is_file() else list(args.out.glob("*/log.jsonl"))
    found = sorted((path for path in found if path.is_file()), key=lambda path: path.stat().st_mtime)
    logs = {path.parent.name: path for path in found if read_log(path)}
    if not logs:
        raise UserError(f"{args.out}: no log.jsonl with a line in it; name the `out` of a training")
    draw(logs, to)
    print(to)
    return OK


if __name__ == "__main__":
    process(main)
