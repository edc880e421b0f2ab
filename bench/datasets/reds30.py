"""REDS30: the validation part of REDS (Nah et al., NTIRE 2019), numbered on from the training part."""

from __future__ import annotations

from bench.datasets.paired import PairedSet
from bench.datasets.places import PACK_GT, PACK_LQ
from bench.datasets.reds4 import REDS4

FIRST = 240


class REDS30(PairedSet):
    """Clips 240 to 269, 100 frames of 1280x720 each: 000 to 029 of `val_sharp`. See `PairedSet`."""

    title = "REDS30"
    licence = REDS4.licence
    how_to_get = (
        "get val_sharp of REDS (seungjunnah.github.io/Datasets/reds), optional val_sharp_bicubic; DOVE's papers have "
        "LQ/<clip> beside it, degraded as RealBasicVSR does"
    )
    official = {f"{FIRST + index}": 100 for index in range(30)}
    gt_layouts = (*PACK_GT, "val_sharp/{val}", "val/val_sharp/{val}", "train_sharp/{clip}")
    lr_layouts = {
        "given": PACK_LQ,
        "bi-x4": (
            "sharp_bicubic/{clip}",
            "val_sharp_bicubic/X4/{val}",
            "val/val_sharp_bicubic/X4/{val}",
            "train_sharp_bicubic/X4/{clip}",
        ),
    }

    def _words(self, clip: str) -> dict[str, str]:
        val = f"{int(clip) - FIRST:03d}" if clip.isdigit() else "<clip - 240>"
        return super()._words(clip) | {"val": val}
