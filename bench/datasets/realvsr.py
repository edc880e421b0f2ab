"""RealVSR: the test part of Yang et al., "Real-World Video Super-Resolution" (ICCV 2021)."""

from __future__ import annotations

from bench.datasets.paired import PairedSet
from bench.datasets.places import PACK_GT, PACK_LQ

_NAMES = (
    "016 018 028 029 039 044 049 088 090 108 135 157 159 169 170 211 212 223 245 246 247 250 266 276 279 "
    "289 293 295 303 317 323 344 346 360 362 364 374 407 429 431 433 449 451 458 461 471 472 484 488 492 "
)


class RealVSR(PairedSet):
    """50 clips of 50 frames, 1024x512, filmed with two lenses of a phone, of one size (scale 1). See `PairedSet`."""

    title = "RealVSR"
    licence = "Apache-2.0, as its authors' repository is; nothing else stated for the clips"
    how_to_get = (
        "get GT_test and LQ_test of RealVSR (github.com/IanYeung/RealVSR), or RealVSR of DOVE's test sets "
        "(github.com/zhengchen1999/DOVE: GT/<clip> and LQ/<clip>)"
    )
    official = dict.fromkeys(_NAMES.split(), 50)
    count = 50
    length = 50
    gt_layouts = (*PACK_GT, "GT_test/{clip}", "HR_test/{clip}")
    lr_layouts = {"given": (*PACK_LQ, "LQ_test/{clip}", "LR_test/{clip}")}
