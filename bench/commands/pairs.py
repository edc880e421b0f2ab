"""The clips of `--pred` and `--gt`, from frames or videos, paired by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.datasets import LAYOUTS
from bench.labels import file_name
from frames.errors import UserError, one_line

if TYPE_CHECKING:
    import numpy as np

    from bench.datasets.clip import Clip

PRED_HELP = f"the prediction: {LAYOUTS}"
GT_HELP = "the ground truth, in the same layout; clips are paired by name, or as they are if there is one on each side"
SCALE_HELP = (
    "the prediction's scale: GT is cut to a multiple of it, and `crop: scale` leaves out such a border (default: 4)"
)


@dataclass(frozen=True)
class Pair:
    """A predicted clip and its GT clip; sizes and numbers of frames may differ."""

    name: str
    pred: Clip
    gt: Clip

    @property
    def sizes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """(height, width) of the predicted frames and of the GT frames."""
        return self.pred.lr_size, self.gt.lr_size

    @property
    def counts(self) -> tuple[int, int]:
        """Number of predicted frames and of GT frames."""
        return self.pred.frames, self.gt.frames

    def cut(self, scale: int) -> Pair:
        """The pair with GT cut to a multiple of the scale, as in a run, if the prediction then has the same size."""
        from bench.datasets.sources import cropped

        ours, truth = self.sizes
        if ours == truth or ours != (truth[0] - truth[0] % scale, truth[1] - truth[1] % scale):
            return self
        return replace(self, gt=replace(self.gt, lr_size=ours, _lr=cropped(self.gt._lr, ours)))

    def pred_frames(self) -> Iterator[np.ndarray]:
        """uint8 (H, W, 3) RGB, read one by one."""
        return self.pred.lr()

    def gt_frames(self) -> Iterator[np.ndarray]:
        """uint8 (H, W, 3) RGB, read one by one."""
        return self.gt.lr()


def open_pairs(pred: Path, gt: Path) -> tuple[list[Pair], list[str]]:
    """Pair the clips of a prediction and its GT; returns the pairs, and a line on each clip that is left out.

    Raises:
        UserError: a side is not there, or holds nothing that can be read as clips.
    """
    ours, truth = _clips(pred, "--pred"), _clips(gt, "--gt")
    if len(ours) == len(truth) == 1:
        (name, clip), (true,) = next(iter(ours.items())), truth.values()
        return [Pair(name, clip, true)], []
    for name in truth.keys() - ours.keys():
        if (saved := file_name(name)) in ours.keys() - truth.keys():  # as `save=frames` writes the name
            ours[name] = replace(ours.pop(saved), name=name)
    refused = [clip for clip in (*ours.values(), *truth.values()) if clip.refusal]
    left_out = {clip.name: f"{clip.name}: {clip.refusal}" for clip in refused}
    pairs = [Pair(name, ours[name], truth[name]) for name in truth if name in ours and name not in left_out]
    alone = [f"{name}: no prediction in {pred}" for name in truth if name not in ours]
    alone += left_out.values()
    return pairs, alone + [f"{name}: no ground truth in {gt}" for name in ours if name not in truth]


def _clips(path: Path, option: str) -> dict[str, Clip]:
    """The clips of one side, opened as LR frames of a data set without GT, which are read unchanged."""
    from bench.datasets.folder import Folder  # reads frames: only when there is something to read

    side = Folder(name=option, domain="", root=str(path), gt=None, scale=1, degradation=None)
    try:
        return {clip.name: clip for clip in side.clips()}
    except (ValueError, FileNotFoundError) as error:
        raise UserError(one_line(error).replace("data.root", option)) from error
