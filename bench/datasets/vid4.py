"""Vid4: the four clips of Liu and Sun, "On Bayesian Adaptive Video Super Resolution" (PAMI 2014)."""

from __future__ import annotations

from bench.datasets.paired import PairedSet


class Vid4(PairedSet):
    """calendar, city, foliage and walk, 34 to 49 frames of 704x576 to 720x480. See `PairedSet`."""

    title = "Vid4"
    licence = "none was ever stated: use for research, do not redistribute"
    how_to_get = (
        "get Vid4 (171 PNG frames, about 0.1 GB) as circulated with BasicSR's or MMagic's data set guides, "
        "as GT/<clip> and, optional, BIx4/<clip> and BDx4/<clip>"
    )
    official = {"calendar": 41, "city": 34, "foliage": 49, "walk": 47}
    gt_layouts = ("GT/{clip}", "{clip}")
    lr_layouts = {"bi-x4": ("BIx4/{clip}", "BIx4down/{clip}"), "bd-x4": ("BDx4/{clip}",)}
