"""UDM10: ten clips of Yi et al., "Progressive Fusion Video Super-Resolution Network" (ICCV 2019)."""

from __future__ import annotations

from bench.datasets.paired import PairedSet
from bench.datasets.places import PACK_GT, PACK_LQ

_NAMES = "archpeople archwall auditorium band caffe camera clap lake photography polyflow"


class UDM10(PairedSet):
    """Ten clips of 32 frames, 1272x720 each. See `PairedSet`."""

    title = "UDM10"
    licence = "none was ever stated: use for research, do not redistribute"
    how_to_get = (
        "get UDM10 (10 clips) from DOVE's test sets (github.com/zhengchen1999/DOVE: GT/<clip> and LQ/<clip>), from "
        "MMagic's guide (GT, BIx4, BDx4) or from PFNL (github.com/psychopa4/PFNL: <clip>/truth, <clip>/blur4, which "
        "is shifted: see docs/metrics.md)"
    )
    official = dict.fromkeys(_NAMES.split(), 32)
    count = 10
    length = 32
    gt_layouts = (*PACK_GT, "{clip}/truth")
    lr_layouts = {
        "given": (*PACK_LQ, "{clip}/blur{scale}"),
        "bd-x4": ("BDx4/{clip}", "{clip}/blur4"),
        "bi-x4": ("BIx4/{clip}",),
    }
