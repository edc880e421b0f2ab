"""`python -m bench doctor --pred DIR --gt DIR`: faults of a prediction; `doctor SET`: faults of LR frames."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from bench.commands.doctor_lr import examine_set
from bench.commands.options import CONFIG_DIR_HELP
from bench.commands.pairs import GT_HELP, PRED_HELP, SCALE_HELP, Pair, open_pairs
from bench.commands.parser import Parser
from frames.errors import ERROR, NOTHING_MEASURED, OK, REGRESSED, UserError, did_you_mean, one_line
from frames.prefetch import ahead
from frames.text import printable

if TYPE_CHECKING:
    import numpy as np

    from bench.doctor.examine import Diagnosis
    from bench.doctor.finding import Compensation
    from bench.metrics.base import FrameMetric
    from bench.metrics.protocol import Protocol

ABOUT = """With --pred it looks at five frames of each clip and their neighbours, and prints each fault with the PSNR
before and after compensation. With a data set (doctor vid4 data.root=...) it looks at LR frames, and reports those that
look noisy, compressed or blurred although the configuration says bicubic. Nothing is changed. Exit codes: 0 healthy,
1 faults were found, 2 nothing to examine, 3 error."""


def main(argv: list[str]) -> int:
    parser = Parser("doctor", ABOUT)
    parser.add_argument("words", nargs="*", metavar="SET [KEY=VALUE ...]", help="a data set, with its options")
    parser.add_argument("--config-dir", action="append", default=[], metavar="DIR", help=CONFIG_DIR_HELP)
    parser.add_argument("--pred", type=Path, help=PRED_HELP)
    parser.add_argument("--gt", type=Path, help=GT_HELP)
    parser.add_argument("--compensated", action="store_true", help="score all frames, before and after compensation")
    parser.add_argument("--protocol", default="rgb", help="protocol of these scores (default: rgb)")
    parser.add_argument("--scale", type=int, choices=range(1, 17), metavar="N", default=4, help=SCALE_HELP)
    options = parser.parse_intermixed_args(argv)  # flags may stand between SET and KEY=VALUE
    if options.words:
        if options.pred or options.gt:
            parser.error("a data set, or --pred and --gt, not both")
        return examine_set(options.words, tuple(options.config_dir))
    if not (options.pred and options.gt):
        parser.error("give --pred and --gt, or a data set: doctor vid4")
    from bench.metrics.recipes import ProtocolScorer, read_presets

    config_dirs = tuple(options.config_dir)
    presets = read_presets(options.scale, config_dirs)
    if options.protocol not in presets:
        raise UserError(f"unknown protocol '{options.protocol}'{did_you_mean(options.protocol, presets)}")
    scorer = ProtocolScorer(("psnr", "ssim") if options.compensated else (), presets, config_dirs=config_dirs)
    metrics = [scorer.metric(name, presets[options.protocol]) for name in scorer.metrics]
    pairs, alone = open_pairs(options.pred, options.gt)
    found, failed = 0, 0
    for pair in (each.cut(options.scale) for each in pairs):
        try:
            diagnosis = _diagnose(pair)
            found += len(diagnosis.findings)
            print(_report(pair, diagnosis))
            for metric in metrics:
                print(_scores(pair, diagnosis.compensation, metric, presets[options.protocol]))
        except (ValueError, FileNotFoundError) as error:
            failed += 1
            print(f"{printable(pair.name)}: {one_line(error)}", file=sys.stderr)
    for line in alone:
        print(printable(f"not examined: {line}"), file=sys.stderr)
    if failed:
        return ERROR
    return REGRESSED if found else OK if pairs else NOTHING_MEASURED


def _diagnose(pair: Pair) -> Diagnosis:
    from bench.doctor.examine import diagnose
    from bench.doctor.excerpt import needed

    sr, gt = needed(*pair.counts)
    return diagnose(_picked(pair.pred_frames(), sr), _picked(pair.gt_frames(), gt), pair.counts)


def _picked(frames: Iterator[np.ndarray], indices: list[int]) -> dict[int, np.ndarray]:
    """The frames with these indices; reading stops after the last of them."""
    found, wanted = {}, set(indices)
    for index, frame in enumerate(frames):
        if index in wanted:
            found[index] = frame
        if index == indices[-1]:
            break
    return found


def _report(pair: Pair, diagnosis: Diagnosis) -> str:
    lines = [f"{printable(pair.name)}: {'nothing found' if not diagnosis.findings else ''}".rstrip()]
    for finding in diagnosis.findings:
        lines.append(f"  {finding.kind}: {finding.text}" + f" ({finding.evidence})" * bool(finding.evidence))
    return "\n".join(lines)


def _scores(pair: Pair, comp: Compensation, metric: FrameMetric, protocol: Protocol) -> str:
    """A line with a metric over the protocol's frames, as they are (if they can be compared) and compensated."""
    raw = "not comparable"
    if pair.counts[0] == pair.counts[1] and pair.sizes[0] == pair.sizes[1]:
        raw = _mean(_scored(pair, type(comp)(), metric, protocol), metric)
    after = _mean(_scored(pair, comp, metric, protocol), metric)
    return f"  {metric.kind.title} as it is {raw}, compensated {after}   {metric.signature}"


def _scored(pair: Pair, comp: Compensation, metric: FrameMetric, protocol: Protocol) -> Iterator[float]:
    """Scores of the protocol's SR frames that have a GT frame, without borders that the compensation made up."""
    ours, truth = pair.counts
    frames = min(ours, truth) if comp == type(comp)() else ours
    partners = {index: comp.partner(index, truth) for index in protocol.indices(frames)}
    partners = {index: partner for index, partner in partners.items() if 0 <= partner < truth}
    inner = slice(comp.margin, -comp.margin or None)
    for sr, gt in _together(pair, partners):
        sr, gt = (frame[inner, inner].copy() for frame in (comp.sr(sr), comp.gt(gt)))
        yield metric.score(sr, gt)


def _together(pair: Pair, partners: dict[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of an SR frame and its GT frame, read one at a time; GT in another order is held in memory."""
    order = list(partners.values())
    if order != sorted(order):
        kept = _picked(pair.gt_frames(), sorted(order))
        for index, sr in enumerate(ahead(pair.pred_frames())):
            if index in partners:
                yield sr, kept[partners[index]]
        return
    wanted = set(order)
    truth = (frame for index, frame in enumerate(pair.gt_frames()) if index in wanted)
    ours = (frame for index, frame in enumerate(pair.pred_frames()) if index in partners)
    yield from zip(ahead(ours), ahead(truth))


def _mean(scores: Iterator[float], metric: FrameMetric) -> str:
    found = list(scores)
    if not found:
        raise ValueError("no predicted frame has a true one to be compared with")
    return f"{fmean(found):.{metric.kind.digits}f}" + (f" {metric.kind.unit}" if metric.kind.unit else "")
