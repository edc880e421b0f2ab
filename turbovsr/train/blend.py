"""Weights between those of two stages: python -m turbovsr.train.blend FROM.safetensors TO.safetensors SHARE OUT.safetensors

SHARE of the second, the rest of the first. Between a network trained for PSNR and LPIPS and the same trained on for texture lie
networks whose scores are better than either training's at the same trade: network interpolation (Wang et al., ESRGAN,
arXiv 1809.00219). The two must belong to one run: one must have begun with the weights of the other.
"""

from __future__ import annotations

import argparse
import sys

import torch

from turbovsr import checkpoints
from turbovsr.train.console import note


def blend(first: torch.nn.Module, second: torch.nn.Module, share: float) -> torch.nn.Module:
    """`first`, its weights and buffers brought towards those of `second`; both must have one configuration."""
    if not 0 <= share <= 1:
        raise ValueError(f"the share of the second must lie in 0..1, got {share:g}")
    if first.config != second.config:
        raise ValueError("the two files hold models of different shape: blend stages of one run")
    wanted = second.state_dict()
    first.load_state_dict({name: value.lerp(wanted[name], share) for name, value in first.state_dict().items()})
    return first


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m turbovsr.train.blend", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("first", help="weights, e.g. OUT/joint.safetensors")
    parser.add_argument("second", help="weights, e.g. OUT/texture.safetensors")
    parser.add_argument("share", type=float, help="of the second, 0..1")
    parser.add_argument("out", help="file to write, in float32")
    given = parser.parse_args(arguments)
    try:
        (first, _), (second, _) = checkpoints.load(given.first), checkpoints.load(given.second)
        blended = blend(first, second, given.share)
    except (FileNotFoundError, ValueError) as error:
        note(f"turbovsr.train.blend: {error}")
        return 3
    checkpoints.save(blended, given.out, torch.float32, stage="blend", share=f"{given.share:g}")
    note(f"{given.out}: {1 - given.share:.0%} of {given.first}, {given.share:.0%} of {given.second}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
