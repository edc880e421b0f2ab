"""The comparisons that test the claims."""

from __future__ import annotations

from dataclasses import dataclass

from studies.claims.plan import FLOW_STEPS, SHORTCUT_STEPS

CLAIMS = {
    "a": "factorized conditioning is better than all frames at once",
    "b": "a pre-trained start is better than none",
    "c": "a shortcut model needs few steps; the shifted grid is better than the uniform one",
    "d": "32x32x8 is better than 8x8x4 at equal compute",
}

Cell = tuple[str, str]
"""(arm, sampler)"""


@dataclass(frozen=True)
class Comparison:
    """Two cells; the claim is that the first is better."""

    claim: str
    first: Cell
    second: Cell
    same_latents: bool = True


def comparisons() -> list[Comparison]:
    """List the comparisons of all claims, in the order of the claims."""
    ends = [f"shifted, {steps}" for steps in (1, 50)]
    found = [
        Comparison("a", ("factorized", end), (other, end))
        for other in ("all_frames", "all_frames_and_stills")
        for end in ends
    ]
    found += [Comparison("b", ("factorized", end), ("not_pretrained", end)) for end in ends]
    for flow in ("flow", "flow_on_grid"):
        for steps in SHORTCUT_STEPS:
            for count in sorted({steps, FLOW_STEPS[-1]}):
                found.append(Comparison("c", ("shortcut", f"shifted, {steps}"), (flow, f"shifted, {count}")))
    for steps in SHORTCUT_STEPS:
        found.append(Comparison("c", ("shortcut", f"shifted, {steps}"), ("shortcut_uniform", f"uniform, {steps}")))
    for steps in FLOW_STEPS[1:]:  # one step is the same on every grid
        found.append(Comparison("c", ("flow", f"shifted, {steps}"), ("flow", f"uniform, {steps}")))
    return found + [Comparison("d", ("factorized", end), ("factorized_8x8x4", end), same_latents=False) for end in ends]
