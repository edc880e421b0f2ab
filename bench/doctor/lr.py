"""Detection of LR frames that do not look as the configuration says, such as noisy ones where it says bicubic."""

from __future__ import annotations

from bench.doctor.finding import Finding

EXPECTED = {"bi": ("clean",), "bd": ("clean", "blurred", "processed")}
"""Degradation -> how its LR frames may look ("processed", because blur may be taken for enlarging). LR frames of other
degradations may look like anything."""


def examine_lr(looks: str, degradation: str, given: bool) -> Finding | None:
    """Compare the look of LR frames with the configuration's degradation; None if they agree.

    Args:
        looks: the kind that `frames.input_quality` estimated.
        degradation: the name in the configuration.
        given: whether the frames were read, not made from GT.
    """
    if looks in EXPECTED.get(degradation, (looks,)):
        return None
    says = {"bi": "bicubic reduction alone", "bd": "blur and reduction alone"}[degradation]
    remedy = _OF_GIVEN if given else _OF_GT
    return Finding("input", f"LR frames look {looks}, but degradation={degradation} says {says}; {remedy}")


_OF_GIVEN = (
    "if it is real video, write degradation=given, or the name of what was done to it, so that no table sets it beside "
    "bicubic LR; and take weights that were trained for it (method=turbovsr_real)"
)
_OF_GT = (
    "they are made from GT, so GT looks like that: its noise, blocks or blur count as truth in every score; take "
    "better GT, or halve it before use"
)
