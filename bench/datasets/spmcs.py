"""SPMCS: the test clips of Tao et al., "Detail-Revealing Deep Video Super-Resolution" (ICCV 2017)."""

from __future__ import annotations

from bench.datasets.paired import PairedSet
from bench.datasets.places import PACK_GT, PACK_LQ


class SPMCS(PairedSet):
    """30 clips of 31 frames, of 960x540; many papers take 11 of them (`data=spmcs11`). See `PairedSet`."""

    title = "SPMCS"
    licence = "none was ever stated: use for research, do not redistribute"
    how_to_get = (
        "get SPMCS (30 clips) from DOVE's test sets (github.com/zhengchen1999/DOVE: GT/<clip> and LQ/<clip>) or from "
        "its authors (github.com/jiangsutx/SPMC_VideoSR: <clip>/truth, <clip>/input4)"
    )
    count = 30
    length = 31
    gt_layouts = (*PACK_GT, "{clip}/truth")
    lr_layouts = {"given": (*PACK_LQ, "{clip}/input{scale}"), "bd-x4": ("BDx4/{clip}", "{clip}/blur4")}
