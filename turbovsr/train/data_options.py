"""Options of the data that a training draws: files, batches, and random changes of clips."""

from __future__ import annotations

from dataclasses import dataclass

from turbovsr.train.schema import at_least, share


@dataclass(frozen=True)
class DataConfig:
    """Training data, and how files are read.

    Each path is a folder that `turbovsr.train.prepare` wrote (`photos/*.npy`, `shots/*.npy`), any other folder, which
    is searched with its subfolders for photographs and videos, or a single such file.
    """

    paths: tuple[str, ...]
    video_share: float = 0.35  # probability that a clip comes from a video rather than from a panned photograph
    halve_videos: bool = True  # use video files at half their size
    cache_mb: int = 512  # of decoded files kept in memory, in MiB


@dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """Batch of one step and process: `images` stills, or `clips` of `frames` frames."""

    images: int = 12
    clips: int = 2
    frames: int = 9
    image_share: float = 0.5  # probability of stills in a stage of kind autoencoding; other kinds alternate

    def __post_init__(self):
        at_least(self, 1, "images", "clips", "frames")
        share(self, "image_share")
        if (self.frames - 1) % 8:
            raise ValueError(f"frames must be 8k+1, got {self.frames}")


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes of the GT clips of a stage."""

    detail_crop_prob: float = 1.0  # probability that a photograph's crop is the most detailed of several candidates
    detail_crop_candidates: int = 2
    blur_prob: float = 0.0  # probability that a photograph is enlarged by up to 1.7, since much GT is softer than it is
    noise_std: float = 0.0  # largest standard deviation of the noise added to those, in 8-bit levels
    augment_prob: float = 0.0  # probability of shuffled colours, another gamma and contrast, and a transposition
    letters_prob: float = 0.0  # probability of words or a table of numbers on a photograph

    def __post_init__(self):
        share(self, "detail_crop_prob", "blur_prob", "augment_prob", "letters_prob")
        at_least(self, 1, "detail_crop_candidates")
        at_least(self, 0, "noise_std")
