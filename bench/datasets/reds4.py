"""REDS4: the four clips of REDS (Nah et al., NTIRE 2019) on which video super-resolution is compared."""

from __future__ import annotations

from bench.datasets.paired import PairedSet


class REDS4(PairedSet):
    """Clips 000, 011, 015 and 020 of REDS's training part, 100 frames of 1280x720 each. See `PairedSet`."""

    title = "REDS4"
    licence = "CC BY 4.0"
    how_to_get = (
        "get train_sharp and train_sharp_bicubic of REDS (seungjunnah.github.io/Datasets/reds; of its about 30 GB the "
        "four clips are about 0.6 GB) and keep clips 000, 011, 015, 020"
    )
    official = {"000": 100, "011": 100, "015": 100, "020": 100}
    gt_layouts = ("GT/{clip}", "train_sharp/{clip}", "train/train_sharp/{clip}")
    lr_layouts = {
        "bi-x4": (
            "sharp_bicubic/{clip}",
            "sharp_bicubic/X4/{clip}",
            "train_sharp_bicubic/X4/{clip}",
            "train_sharp_bicubic/{clip}",
            "train/train_sharp_bicubic/X4/{clip}",
        ),
    }
