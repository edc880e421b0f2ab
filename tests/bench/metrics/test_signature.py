"""Signatures: long ones differ where recipes do, short ones say what matters."""

from types import SimpleNamespace

import pytest

from bench.metrics.base import Kind
from bench.metrics.of_gt import of_gt
from bench.metrics.protocol import Protocol
from bench.metrics.registry import build
from bench.metrics.signature import short
from bench.run.scoring import described


@pytest.mark.parametrize(
    "name, protocol, expected",
    [
        ("psnr", Protocol(), "PSNR-RGB"),
        ("psnr", Protocol(psnr="y"), "PSNR-Y"),
        ("psnr-cbcr", Protocol(psnr="y", crop=8), "PSNR-CbCr crop8"),
        ("ssim", Protocol(ssim="y"), "SSIM-Y"),
        ("psnr", Protocol(psnr="y-full"), "PSNR-Y-full"),
        ("psnr", Protocol(psnr="y", crop=8), "PSNR-Y crop8"),
        ("psnr", Protocol(psnr="y", drop_first=2, drop_last=2), "PSNR-Y frames2..-3"),
        ("psnr", Protocol(psnr="y", drop_first=2, drop_last=2, every=4), "PSNR-Y frames2..-3 every4"),
        ("ms-ssim", Protocol(ssim="y"), "MS-SSIM-Y"),
        ("dists", Protocol(every=4), "DISTS every4"),
        ("lpips-alex", Protocol(), "LPIPS-alex"),
        ("dists", Protocol(), "DISTS"),
    ],
)
def test_the_short_form(name, protocol, expected):
    metric = build(name, protocol)
    assert short(metric.kind.title, metric.signature) == expected


def test_networks_are_named_by_the_hash_of_their_weights():
    alex, vgg, dists = (build(name).signature.split("|")[2] for name in ("lpips-alex", "lpips-vgg", "dists"))
    assert len({alex, vgg, dists}) == 3 and all(len(word) == 8 for word in (alex, vgg, dists))


@pytest.mark.parametrize(
    "signature, of_the_gt, expected",
    [("mine", "mine|of GT", "M"), ("mine|v1", "mine|of GT|v1", "M"), ("psnr", "psnr|of GT", "M")],
)
def test_a_recipe_that_is_a_name_alone(signature, of_the_gt, expected):
    mine = SimpleNamespace(kind=Kind("M", "", "lower", 1), signature=signature, score=lambda sr, gt: 1.0)
    score = described(mine, [1.0], [0], None)
    assert (score.short, of_gt(mine).signature) == (expected, of_the_gt)
