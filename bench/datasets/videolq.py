"""VideoLQ: the real-world clips of Chan et al., "Investigating Tradeoffs in Real-World VSR" (CVPR 2022)."""

from __future__ import annotations

from bench.datasets.paired import PairedSet
from bench.datasets.places import PACK_LQ


class VideoLQ(PairedSet):
    """50 clips of up to 100 frames in several sizes, without ground truth. See `PairedSet`."""

    title = "VideoLQ"
    licence = "none stated, clips from public video sites: use for research, do not redistribute"
    how_to_get = (
        "get VideoLQ (50 clips) as RealBasicVSR (github.com/ckkelvinchan/RealBasicVSR) or DOVE's test sets "
        "(github.com/zhengchen1999/DOVE) link it"
    )
    official = {f"{index:03d}": None for index in range(50)}
    count = 50
    gt_layouts = ()
    lr_layouts = {"given": (*PACK_LQ, "{clip}", "Input/{clip}")}
