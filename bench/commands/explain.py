"""`python -m bench explain --pred DIR --gt DIR [--quoted 27.24]`: one prediction scored under every protocol preset."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.commands import traps
from bench.commands.pairs import GT_HELP, PRED_HELP, SCALE_HELP, Pair, open_pairs
from bench.commands.parser import Parser
from bench.datasets.pairing import check_names
from bench.labels import listed
from bench.metrics.recipes import FRAMES, MEAN, POOLED, ProtocolScorer, Recipe, Values, protocol_spread, read_presets
from bench.metrics.registry import check_name
from frames.errors import ERROR, NOTHING_MEASURED, OK, UserError, did_you_mean, one_line
from frames.prefetch import ahead
from frames.text import printable

PERCEPTUAL = ("lpips-alex", "dists")
_SCALES = range(2, 17)
_REMEDY = "`python -m bench doctor` with the same --pred and --gt tells why"
ABOUT = f"""Columns: each clip (mean over frames); '{MEAN}' over clips; '{FRAMES}': mean over the frames of all clips;
'{POOLED}': PSNR of a clip's mean squared error, mean over clips. Exit codes: 0 scored, 2 nothing to score, 3 error."""


def main(argv: list[str]) -> int:
    options = _parser().parse_args(argv)
    metrics = list(dict.fromkeys([*listed(options.metric), *(PERCEPTUAL if options.perceptual else ())]))
    if not metrics:
        raise UserError("--metric is empty; name metrics, e.g. psnr,ssim; `python -m bench list` shows all")
    config_dirs = tuple(options.config_dir)
    for name in metrics:
        check_name(name, config_dirs)
    quoted = None if options.quoted is None else _number(options.quoted)
    presets = read_presets(options.scale, config_dirs)
    if options.traps not in (None, *presets):
        raise UserError(f"--traps {options.traps}: unknown protocol{did_you_mean(options.traps, presets)}")
    scorer = ProtocolScorer(metrics, presets, options.device, config_dirs, options.scale)
    pairs, alone = open_pairs(options.pred, options.gt)
    scored: dict[str, Values] = {}
    failed = []
    for pair in pairs:
        try:
            scored[pair.name] = scorer.score(_frames(pair, options.scale))
        except (ValueError, FileNotFoundError) as error:
            failed.append(f"{pair.name}: {one_line(error)}")
    found = scorer.recipes(scored)
    _show(found, metrics, len(pairs) + len(alone))
    for line in [*alone, *failed, *_refusals(found)]:
        print(printable(f"not scored: {line}"), file=sys.stderr)
    if quoted is not None and scored:
        print(answer(found, *quoted))
    if options.traps and scored:
        one = replace(scorer, presets={options.traps: presets[options.traps]})
        whole = [pair for pair in pairs if pair.name in scored]
        trapped = traps.under_traps(whole, one, lambda pair: _frames(pair, options.scale))
        traps.show(trapped, options.traps)
        if quoted is not None and (found_trap := traps.answer(trapped, options.traps, *quoted)):
            print(found_trap)
    if failed:
        return ERROR
    return OK if any(value is not None for recipe in found for value in recipe.figures.values()) else NOTHING_MEASURED


def _parser() -> Parser:
    parser = Parser("explain", ABOUT)
    parser.add_argument("--pred", type=Path, required=True, help=PRED_HELP)
    parser.add_argument("--gt", type=Path, required=True, help=GT_HELP)
    parser.add_argument("--quoted", help="a published figure, with the digits as printed: 27.24")
    parser.add_argument("--metric", default="psnr,ssim", help="comma-separated (default: psnr,ssim)")
    parser.add_argument("--perceptual", action="store_true", help=f"score {' and '.join(PERCEPTUAL)} as well (slow)")
    parser.add_argument(
        "--traps",
        nargs="?",
        const="dove",
        metavar="PROTOCOL",
        help="also score with the faults of other scripts: cut floats, yuv444p, dropped frames (default: under dove)",
    )
    parser.add_argument("--scale", type=int, choices=range(1, 17), metavar="N", default=4, help=SCALE_HELP)
    parser.add_argument("--device", default="cpu", help="where LPIPS and DISTS run")
    parser.add_argument(
        "--config-dir", action="append", default=[], help="a folder with protocol/*.yaml or metric/*.yaml of your own"
    )
    return parser


def _frames(pair: Pair, scale: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of SR and GT frames; GT is cut to a multiple of the scale, as in a run.

    Raises:
        ValueError: sizes, frame counts or names do not fit each other.
    """
    ours, truth = pair.counts
    if ours != truth:
        raise ValueError(f"{ours} predicted frames, {truth} true ones; {_REMEDY}")
    pair = pair.cut(scale)
    (height, width), (gt_height, gt_width) = pair.sizes
    if (height, width) != (gt_height, gt_width):
        raise ValueError(f"predicted {width}x{height}, true {gt_width}x{gt_height}; {_hint(pair)}{_REMEDY}")
    check_names(pair.pred.files, pair.gt.files, "predicted and true")
    yield from zip(ahead(pair.pred_frames()), ahead(pair.gt_frames()), strict=True)


def _hint(pair: Pair) -> str:
    """A hint at a scale at which GT, cut to a multiple of it, has the predicted size; empty if there is none."""
    ours, truth = pair.sizes
    fitting = [scale for scale in _SCALES if ours == tuple(side - side % scale for side in truth)]
    return f"they fit with --scale {fitting[0]}; or " if fitting else ""


def _refusals(found: list[Recipe]) -> list[str]:
    """A line on each clip that a metric could not score, except clips that are too short: the caption names them."""
    lines = [
        f"{clip}: {recipe.metric}: {reason}"
        for recipe in found
        for clip, reason in recipe.absent.items()
        if reason != "too few frames"
    ]
    return list(dict.fromkeys(lines))


def answer(found: list[Recipe], quoted: float, tolerance: float) -> str:
    """Text that names the presets which give a quoted number, or the nearest figure if none does.

    Args:
        tolerance: half a unit of the quoted number's last digit.
    """
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
            f"  {', '.join(row.presets)}: {row.metric} {value:.6g} ({printable(column)})   {row.signature}"
            for row, column, value in hits
        ]
        return "\n".join([f"{text} (±{tolerance:g}) is reproduced by", *lines])
    row, column, value = min(figures, key=lambda figure: abs(figure[2] - quoted))
    return (
        f"{text} (±{tolerance:g}) is reproduced by no preset; the nearest: {', '.join(row.presets)}, "
        f"{row.metric} {value:.6g} ({printable(column)}), {value - quoted:+.4g} away"
    )


def _show(found: list[Recipe], metrics: list[str], clips: int) -> None:
    console = Console(width=None if Console().is_terminal else 200, highlight=False)
    for name in metrics:
        mine = [row for row in found if row.metric == name and row.figures]
        if not mine:
            continue
        kind, columns = mine[0].kind, list(mine[0].figures)
        n = len([column for column in columns if column not in (MEAN, FRAMES, POOLED)])
        unit = f" [{kind.unit}]" if kind.unit else ""
        title = escape(f"{kind.title}{unit}, {n} of {clips} clips")
        table = Table(title=title, caption=escape(printable(protocol_spread(mine))), caption_justify="left")
        table.add_column("protocol")
        for column in columns:
            table.add_column(escape(printable(column)), justify="right", no_wrap=True)
        table.add_column("signature", overflow="fold")
        for row in sorted(mine, key=lambda row: row.signature):
            cells = ["–" if value is None else f"{value:.{kind.digits}f}" for value in row.figures.values()]
            table.add_row(escape(", ".join(row.presets)), *cells, escape(row.signature))
        console.print(table)


def _number(text: str) -> tuple[float, float]:
    """A figure as printed and half a unit of its last digit: "27.24" -> (27.24, 0.005)."""
    text = text.strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "e" in text.lower():
        raise UserError(f"--quoted {text}: not a number as printed; write its digits, e.g. 27.24")
    return value, 0.5 * 10.0 ** -len(text.partition(".")[2])
