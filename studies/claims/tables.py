"""The study's tables in Markdown, from its result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from studies.claims.comparisons import CLAIMS, Cell, comparisons
from studies.claims.intervals import Estimate, difference, estimate

METRICS = {"lpips": ("LPIPS", 4), "psnr-y": ("PSNR-Y", 2), "latent error": ("latent error", 3)}
SPREAD = {"latent spread": ("latent spread", 3)}
HIGHER_IS_BETTER = ("psnr-y",)
ABSENT = "–"

Values = dict[int, dict[str, float]]
"""{seed: {clip: value}}"""


def markdown(result: dict[str, Any]) -> str:
    """All tables: differences by claim, the scores themselves, and what the work cost."""
    parts = [_differences(result, claim) for claim in CLAIMS]
    return "\n\n".join("\n".join(part) for part in [*parts, _scores(result), _costs(result)] if part)


def values(result: dict[str, Any], cell: Cell, metric: str) -> Values:
    """Values of a metric for an arm and sampler, for all seeds that were scored."""
    arm, sampler = cell
    found = {}
    for seed, samplers in result["scores"].get(arm, {}).items():
        clips = samplers.get(sampler, {})
        if clips and all(metric in of for of in clips.values()):
            found[int(seed)] = {clip: of[metric] for clip, of in clips.items()}
    return found


def verdict(metric: str, found: Estimate | None) -> str:
    """Verdict on the first cell against the second: "better", "worse", "unclear" or "not measured"."""
    if found is None:
        return "not measured"
    if not found.differs:
        return "unclear"
    return "better" if (found.mean > 0) == (metric in HIGHER_IS_BETTER) else "worse"


def _differences(result: dict[str, Any], claim: str) -> list[str]:
    heads = [head for head, _ in METRICS.values()]
    lines = [
        f"Claim {claim}: {CLAIMS[claim]}",
        "",
        _row("first", "second", "seeds", *heads),
        _row("---", "---", "---:", *["---"] * len(heads)),
    ]
    for each in comparisons():
        if each.claim != claim:
            continue
        cells, seeds = [], 0
        for metric, (_, digits) in METRICS.items():
            found = None
            if each.same_latents or metric != "latent error":
                first, second = (values(result, cell, metric) for cell in (each.first, each.second))
                found = difference(first, second, result["videos"])
            seeds = max(seeds, found.seeds if found else 0)
            cells.append(f"{_text(found, digits, signed=True)} {verdict(metric, found)}" if found else ABSENT)
        lines.append(_row(_name(each.first), _name(each.second), str(seeds), *cells))
    return lines


def _scores(result: dict[str, Any]) -> list[str]:
    columns = METRICS | SPREAD
    heads = [head for head, _ in columns.values()]
    lines = ["Scores", "", _row("", "seeds", *heads), _row("---", "---:", *["---:"] * len(heads))]
    for space, kinds in result["references"].items():
        for name, clips in kinds.items():
            known = [metric for metric in columns if all(metric in of for of in clips.values())]
            by_metric = {metric: {0: {clip: of[metric] for clip, of in clips.items()}} for metric in known}
            cells = [_mean(by_metric.get(metric, {}), result, digits) for metric, (_, digits) in columns.items()]
            lines.append(_row(f"{name}, {space}", "", *cells))
    for arm, sampler in _cells(result):
        cells = [_mean(values(result, (arm, sampler), m), result, digits) for m, (_, digits) in columns.items()]
        lines.append(_row(_name((arm, sampler)), str(len(result["scores"][arm])), *cells))
    return lines


def _cells(result: dict[str, Any]) -> Iterable[Cell]:
    for arm, seeds in result["scores"].items():
        yield from ((arm, sampler) for sampler in next(iter(seeds.values())))


def _costs(result: dict[str, Any]) -> list[str]:
    """Hours, arithmetic and the seconds of a clip."""
    times = result["times"].values()
    hours = [sum(part[name] for part in times) / 3600 for name in ("cpu_seconds", "seconds")]
    lines = [f"{hours[0]:.2f} hours of the processor in {hours[1]:.2f} hours, one thread, on {_machine(result)}."]
    for arm, by_steps in result["seconds"].items():
        listed = ", ".join(f"{seconds:.3f} s in {steps}" for steps, seconds in by_steps.items())
        lines.append(
            f"{arm.replace('_', ' ')}: a clip of the bucket takes {listed} steps, condition and decoder included."
        )
    for space, counted in (result["tflop"] or {}).items():
        listed = ", ".join(f"{what} {1000 * tflop:.2f}" for what, tflop in counted.items())
        lines.append(f"{space}, GFLOP: {listed}.")
    return lines


def _machine(result: dict[str, Any]) -> str:
    environment = result["environment"]
    return f"{environment['cpu']} ({environment['cores']} cores, shared), {environment['date'][:10]}"


def _mean(found: Values, result: dict[str, Any], digits: int) -> str:
    return _text(estimate(found, result["videos"]), digits) if found else ABSENT


def _text(found: Estimate | None, digits: int, signed: bool = False) -> str:
    if found is None:
        return ABSENT
    mean = f"{found.mean:{'+' if signed else ''}.{digits}f}"
    return mean if found.half is None else f"{mean} ± {found.half:.{digits}f}"


def _name(cell: Cell) -> str:
    arm, sampler = cell
    grid, _, steps = sampler.partition(", ")
    return f"{arm.replace('_', ' ')}, {steps} step{'s' * (steps != '1')}, {grid}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
