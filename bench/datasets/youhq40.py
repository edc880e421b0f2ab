"""YouHQ40: the test clips of Zhou et al., "Upscale-A-Video" (CVPR 2024)."""

from __future__ import annotations

from bench.datasets.paired import PairedSet
from bench.datasets.places import PACK_GT, PACK_LQ


class YouHQ40(PairedSet):
    """40 clips of around 32 frames, 1920x1080. See `PairedSet`."""

    title = "YouHQ40"
    licence = "none stated for the clips, which are from YouTube: use for research, do not redistribute"
    how_to_get = (
        "get YouHQ40 (40 clips) from DOVE's test sets (github.com/zhengchen1999/DOVE: GT/<clip> and LQ/<clip>) or "
        "YouHQ40-Test from Upscale-A-Video (github.com/sczhou/Upscale-A-Video: GT alone, <clip>/*)"
    )
    count = 40
    gt_layouts = (*PACK_GT, "{clip}")
    lr_layouts = {"given": PACK_LQ}
