"""MVSR4x: the test part of Wang et al., "Benchmark Dataset ... for Real-World Video Super-Resolution" (CVPRW 2023)."""

from __future__ import annotations

from bench.datasets.paired import PairedSet
from bench.datasets.places import PACK_GT, PACK_LQ

_NAMES = "003 065 075 106 115 139 158 171 230 232 263 280 427 465 466"


class MVSR4x(PairedSet):
    """15 clips of 100 frames, filmed with two lenses of a phone, brought to one size (scale 1). See `PairedSet`."""

    title = "MVSR4x"
    licence = "none stated: use for research, do not redistribute"
    how_to_get = (
        "get tele and wide of MVSR4x (github.com/HITRainer/EAVSR), or MVSR4x of DOVE's test sets "
        "(github.com/zhengchen1999/DOVE: GT/<clip> and LQ/<clip>)"
    )
    official = dict.fromkeys(_NAMES.split(), 100)
    count = 15
    length = 100
    gt_layouts = (*PACK_GT, "tele/{clip}")
    lr_layouts = {"given": (*PACK_LQ, "wide/{clip}")}
