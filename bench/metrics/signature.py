"""Signatures: the recipe of a number, long for machines and references, short for column heads."""

from __future__ import annotations

import re


def short(title: str, signature: str) -> str:
    """A short signature, of the parts that change a number by more than methods differ: "PSNR-Y crop8 frames2..-3".

    Args:
        title: the metric's own, "PSNR".
        signature: parts between bars, the metric first: "psnr|y-bt601-studio|uint8|crop8|mean-frames,clips|v1".
    """
    name, color, *rest = f"{signature}|".split("|")  # a metric of one's own may have a name alone
    if color and name in ("psnr", "ssim", "ms-ssim"):
        if color.startswith(("rgb", "cbcr")):
            title += "-RGB" if color.startswith("rgb") else "-CbCr"
        else:
            title += "-Y" + color.removeprefix("y-bt601").replace("-studio", "")
    parts = [part for part in rest if re.match(r"frames|every|pyiqa|crop[1-9]\d*$", part)]
    return " ".join([title, *parts])
