"""`python -m bench explain --pred DIR --gt DIR [--quoted 27.24]`: one prediction scored under every protocol preset."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from omegaconf import OmegaConf
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.commands.pairs import GT_HELP, PRED_HELP, Pair, open_pairs
from bench.commands.parser import Parser
from bench.groups import members
from bench.metrics.base import Kind
from bench.metrics.protocol import Protocol, parse
from bench.metrics.registry import build, check_name
from frames.errors import ERROR, NOTHING_MEASURED, OK, UserError, one_line
from frames.prefetch import ahead

PERCEPTUAL = ("lpips-alex", "dists")
MEAN, FRAMES, POOLED = "mean", "all frames", "pooled"
_REMEDY = "`python -m bench doctor` with the same --pred and --gt tells why"
ABOUT = f"""Columns: each clip (mean over frames); '{MEAN}' over clips; '{FRAMES}': mean over the frames of all clips;
'{POOLED}': PSNR of a clip's mean squared error, mean over clips. Exit codes: 0 scored, 2 nothing to score, 3 error."""


@dataclass(frozen=True)
class Row:
    """One recipe under one metric: the presets that agree on it, and its figures by column (None: does not apply)."""

    metric: str
    kind: Kind
    presets: list[str]
    signature: str
    figures: dict[str, float | None]


def main(argv: list[str]) -> int:
    parser = Parser("explain", ABOUT)
    parser.add_argument("--pred", type=Path, required=True, help=PRED_HELP)
    parser.add_argument("--gt", type=Path, required=True, help=GT_HELP)
    parser.add_argument("--quoted", help="a published figure, with the digits as printed: 27.24")
    parser.add_argument("--metric", default="psnr,ssim", help="comma-separated (default: psnr,ssim)")
    parser.add_argument("--perceptual", action="store_true", help=f"score {' and '.join(PERCEPTUAL)} as well (slow)")
    parser.add_argument("--scale", type=int, default=4, help="the border that `crop: scale` leaves out (default: 4)")
    parser.add_argument("--device", default="cpu", help="where LPIPS and DISTS run")
    parser.add_argument("--config-dir", action="append", default=[], help="a folder with protocol/*.yaml of your own")
    options = parser.parse_args(argv)
    metrics = [*options.metric.split(","), *(PERCEPTUAL if options.perceptual else ())]
    for name in metrics:
        check_name(name, tuple(options.config_dir))
    quoted = None if options.quoted is None else _number(options.quoted)
    presets = read_presets(options.scale, tuple(options.config_dir))
    pairs, alone = open_pairs(options.pred, options.gt)
    scored, failed = [], []
    for pair in pairs:
        try:
            scored.append((pair.name, pair.counts[0], score(pair, metrics, presets, options.scale, options.device)))
        except (ValueError, FileNotFoundError) as error:
            failed.append(f"{pair.name}: {one_line(error)}")
    found = rows(scored, metrics, presets, options.device)
    _show(found, metrics, len(pairs) + len(alone))
    for line in [*alone, *failed]:
        print(f"not scored: {line}", file=sys.stderr)
    if quoted is not None and scored:
        print(answer(found, *quoted))
    if failed:
        return ERROR
    return OK if scored else NOTHING_MEASURED


def read_presets(scale: int, config_dirs: tuple[str, ...] = ()) -> dict[str, Protocol]:
    """Every member of the config group `protocol`, by name.

    Raises:
        UserError: a preset has an unknown key or value.
    """
    files = members("protocol", config_dirs)
    read = {name: OmegaConf.to_container(OmegaConf.load(file), resolve=True) for name, file in files.items()}
    return {name: parse(options, scale) for name, options in read.items()}


def score(
    pair: Pair, metrics: list[str], presets: dict[str, Protocol], scale: int, device: str
) -> dict[str, list[float]]:
    """Every frame under every recipe that the presets need, each computed once.

    Returns:
        Scores of all frames, by the signature that the metric has without a choice of frames.
    Raises:
        ValueError: sizes or frame counts differ.
    """
    ours, truth = pair.counts
    if ours != truth:
        raise ValueError(f"{ours} predicted frames, {truth} true ones; {_REMEDY}")
    (height, width), (gt_height, gt_width) = pair.sizes
    if (height, width) not in ((gt_height, gt_width), (gt_height - gt_height % scale, gt_width - gt_width % scale)):
        raise ValueError(f"predicted {width}x{height}, true {gt_width}x{gt_height}; {_REMEDY}")
    recipes = [build(name, _every_frame(preset), device=device) for name in metrics for preset in presets.values()]
    recipes = {metric.signature: metric for metric in recipes}
    values: dict[str, list[float]] = {signature: [] for signature in recipes}
    for sr, gt in zip(ahead(pair.pred_frames()), ahead(pair.gt_frames()), strict=True):
        gt = gt[:height, :width]  # GT that is no multiple of the scale: cut as a run cuts it
        for signature, metric in recipes.items():
            values[signature].append(metric.score(sr, gt))
    return values


def rows(
    scored: list[tuple[str, int, dict[str, list[float]]]], metrics: list[str], presets: dict[str, Protocol], device: str
) -> list[Row]:
    """The table: presets that agree on a recipe share a row; figures by clip, then for the set.

    Args:
        scored: (clip, its frames, what `score` returned) each.
    """
    found: dict[tuple[str, str], Row] = {}
    for name in metrics:
        for preset, protocol in presets.items():
            metric = build(name, protocol, device=device)
            key = name, metric.signature
            if key in found:
                found[key].presets.append(preset)
                continue
            source = build(name, _every_frame(protocol), device=device).signature
            clips = {clip: _chosen(values[source], protocol, frames) for clip, frames, values in scored}
            figures = _figures(clips, pooled=metric.kind.title == "PSNR")
            found[key] = Row(name, metric.kind, [preset], metric.signature, figures)
    return list(found.values())


def answer(found: list[Row], quoted: float, tolerance: float) -> str:
    """Which presets give the quoted number within rounding; the nearest where none does."""
    text = f"{quoted:.{max(0, round(-math.log10(2 * tolerance)))}f}"
    figures = [
        (row, column, value)
        for row in found
        for column, value in row.figures.items()
        if value is not None and math.isfinite(value)
    ]
    if not figures:
        return f"{text}: no finite figure to compare with"
    hits = [figure for figure in figures if abs(figure[2] - quoted) <= tolerance * (1 + 1e-9)]
    if hits:
        lines = [
            f"  {', '.join(row.presets)}: {row.metric} {value:.6g} ({column})   {row.signature}"
            for row, column, value in hits
        ]
        return "\n".join([f"{text} (±{tolerance:g}) is reproduced by", *lines])
    row, column, value = min(figures, key=lambda figure: abs(figure[2] - quoted))
    return (
        f"{text} (±{tolerance:g}) is reproduced by no preset; the nearest: {', '.join(row.presets)}, "
        f"{row.metric} {value:.6g} ({column}), {value - quoted:+.4g} away"
    )


def _show(found: list[Row], metrics: list[str], clips: int) -> None:
    console = Console(width=None if Console().is_terminal else 200, highlight=False)
    for name in metrics:
        mine = [row for row in found if row.metric == name and row.figures]
        if not mine:
            continue
        kind, columns = mine[0].kind, list(mine[0].figures)
        n = len([column for column in columns if column not in (MEAN, FRAMES, POOLED)])
        unit = f" [{kind.unit}]" if kind.unit else ""
        title = escape(f"{kind.title}{unit}, {n} of {clips} clips")
        table = Table(title=title, caption=_spread(mine), caption_justify="left")
        table.add_column("protocol")
        for column in columns:
            table.add_column(escape(column), justify="right", no_wrap=True)
        table.add_column("signature", overflow="fold")
        for row in sorted(mine, key=lambda row: row.signature):
            cells = ["–" if value is None else f"{value:.{kind.digits}f}" for value in row.figures.values()]
            table.add_row(escape(", ".join(row.presets)), *cells, escape(row.signature))
        console.print(table)


def _spread(mine: list[Row]) -> str:
    """The largest difference between two protocols in the column of the set."""
    column = MEAN if MEAN in mine[0].figures else next(iter(mine[0].figures))
    values = {", ".join(row.presets): row.figures[column] for row in mine if row.figures[column] is not None}
    if not values:
        return "the clips have too few frames for every protocol"
    low, high = min(values, key=values.get), max(values, key=values.get)
    digits = mine[0].kind.digits
    text = f"spread of protocols ({column}): {values[high] - values[low]:.{digits}f}, from {low} to {high}"
    short = [", ".join(row.presets) for row in mine if None in row.figures.values()]
    return escape(text + (f"; too few frames for {'; '.join(short)}" if short else ""))


def _figures(clips: dict[str, list[float] | None], pooled: bool) -> dict[str, float | None]:
    figures = {name: None if values is None else fmean(values) for name, values in clips.items()}
    given = [values for values in clips.values() if values is not None]
    whole = len(given) == len(clips) > 0
    if len(clips) > 1:
        figures[MEAN] = fmean(map(fmean, given)) if whole else None
        figures[FRAMES] = fmean([value for values in given for value in values]) if whole else None
    if pooled and clips:
        figures[POOLED] = fmean(map(_pooled, given)) if whole else None
    return figures


def _pooled(frames: list[float]) -> float:
    """PSNR of the mean squared error over all frames, from the frames' PSNR."""
    mean = fmean(10 ** (-value / 10) for value in frames)
    return -10 * math.log10(mean) if mean else math.inf


def _chosen(values: list[float], protocol: Protocol, frames: int) -> list[float] | None:
    """The scores of the frames that the protocol takes; None where the clip is too short for it."""
    try:
        return [values[index] for index in protocol.indices(frames)]
    except ValueError:
        return None


def _every_frame(protocol: Protocol) -> Protocol:
    return replace(protocol, drop_first=0, drop_last=0, only=None)


def _number(text: str) -> tuple[float, float]:
    """A figure as printed and half a unit of its last digit: "27.24" -> (27.24, 0.005)."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "e" in text.lower():
        raise UserError(f"--quoted {text}: not a number as printed; write its digits, e.g. 27.24")
    return value, 0.5 * 10.0 ** -len(text.partition(".")[2])
