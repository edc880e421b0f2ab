"""Training pairs for distillation: LR clips, with one frame of each from another upscaler and from GT.

`python -m studies.pairs` writes them, one .npz file a pair: `lr`, uint8 (T, h, w, 3), of one frame (`still-*.npz`) or
of several (`clip-*.npz`), and `sr` and `gt`, uint8 (4h, 4w, 3), of the last frame but one, which has neighbours on
either side. All pairs of a folder are square and of one size, and all clips of one length.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from frames.errors import UserError
from turbovsr.geometry import SCALE
from turbovsr.train.batch import to_tensor
from turbovsr.train.rng import StepRng

COLOURS_SHUFFLED = 0.3  # share of the pairs


def target_index(frames: int) -> int:
    """Index of the frame of an LR clip whose SR and GT its pair has: the last but one, or the only one."""
    return max(0, frames - 2)


@dataclass(frozen=True)
class Pair:
    """An LR clip, uint8 (T, h, w, 3), and a frame's SR and GT, uint8 (4h, 4w, 3)."""

    lr: np.ndarray
    sr: np.ndarray
    gt: np.ndarray

    def still(self) -> Pair:
        """The pair with its target frame as the whole LR clip."""
        frame = target_index(len(self.lr))
        return Pair(self.lr[frame : frame + 1], self.sr, self.gt)

    def turned(self, rng: np.random.Generator) -> Pair:
        """The pair mirrored, transposed and with shuffled colours, each at random and for all frames alike."""
        left_right, up_down, transposed = rng.integers(2, size=3).astype(bool)
        colours = rng.permutation(3) if rng.random() < COLOURS_SHUFFLED else np.arange(3)

        def turn(frames: np.ndarray) -> np.ndarray:
            frames = frames.swapaxes(-2, -3) if transposed else frames
            frames = frames[..., ::-1, :] if left_right else frames
            return (frames[..., ::-1, :, :] if up_down else frames)[..., colours]

        return Pair(turn(self.lr), turn(self.sr), turn(self.gt))


@dataclass(frozen=True)
class PairBatch:
    """LR clips (B, 3, T, h, w), and SR and GT (B, 3, 1, 4h, 4w) of their target frames, float32 in [-1, 1]."""

    lr: Tensor
    sr: Tensor
    gt: Tensor

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> PairBatch:
        found = list(pairs)
        return cls(
            to_tensor([pair.lr for pair in found]),
            to_tensor([pair.sr[None] for pair in found]),
            to_tensor([pair.gt[None] for pair in found]),
        )

    def __len__(self) -> int:
        return len(self.lr)

    def to(self, device: torch.device) -> PairBatch:
        return PairBatch(*(x.to(device, non_blocking=True) for x in (self.lr, self.sr, self.gt)))


class PairSource:
    """Random pairs of a folder.

    Raises:
        UserError: the folder holds no pairs.
    """

    def __init__(self, folder: str | Path):
        self.clips = sorted(Path(folder).glob("clip-*.npz"))
        self.all = sorted(Path(folder).glob("still-*.npz")) + self.clips
        if not folder or not self.all:
            raise UserError(f"pairs={folder}: no pairs here; `python -m studies.pairs` writes a folder of them")

    def describe(self) -> str:
        return f"{len(self.all)} pairs, {len(self.clips)} of them clips"

    def draw(self, rng: StepRng, count: int, stills: bool) -> PairBatch:
        """Draw pairs with target frames alone, or with whole clips.

        Raises:
            ValueError: there are no clips, or clips of several sizes; also as `read`.
        """
        files = self.all if stills else self.clips
        if not files:
            raise ValueError(f"{self.all[0].parent}: no clips among these pairs; write some with studies.pairs")
        found = (read(files[index]) for index in rng.numpy.integers(len(files), size=count))
        pairs = [pair.still() if stills else pair for pair in found]
        if len(shapes := {pair.lr.shape for pair in pairs}) > 1:
            raise ValueError(f"{files[0].parent}: LR clips of several sizes, {sorted(shapes)}; use one folder for each")
        return PairBatch.of(pair.turned(rng.numpy) for pair in pairs)


def read(path: Path) -> Pair:
    """Read a pair. Raises `ValueError`, which names the file, if it is not one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            pair = Pair(file["lr"], file["sr"], file["gt"])
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a pair of LR and SR frames, or a file that was cut short; remove it") from error
    if any(x.dtype != np.uint8 for x in (pair.lr, pair.sr, pair.gt)) or pair.lr.ndim != 4 or not len(pair.lr):
        raise ValueError(f"{path}: not a pair of LR and SR frames, uint8 (T, h, w, 3) and (4h, 4w, 3); remove it")
    height, width = pair.lr.shape[1:3]
    if height != width:
        raise ValueError(f"{path}: LR frames of {width}x{height} are not square; remove it")
    large = (SCALE * height, SCALE * width, 3)
    if pair.lr.shape[3] != 3 or not pair.sr.shape == pair.gt.shape == large:
        raise ValueError(
            f"{path}: SR and GT are not {SCALE} times as large as LR frames of {width}x{height}; remove it"
        )
    return pair
