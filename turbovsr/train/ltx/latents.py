"""Stored latents: the format of a folder that `python -m turbovsr.train.prepare --latents` writes.

    FOLDER/latents.json            the autoencoder that made them
    FOLDER/1080x1920x49/*.safetensors   a clip: `latent`, and `condition.0`, `condition.1`, ..., float16

A file holds the latent of a GT clip and those of the clip's enlarged LR clips, one for each degradation that was drawn.
The latent of a clip's first frame is that of the frame alone, so every file serves the first-frame task too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from frames.atomic import replacing
from frames.errors import UserError
from frames.text_files import parse_json
from turbovsr.geometry import SCALE, SPATIAL_COMPRESSION, latent_frames, pad_to
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.weights_file import open_weights, read_tensors

MANIFEST = "latents.json"
FORMAT = "turbovsr-latents-1"
REMEDY = "remove it and repeat python -m turbovsr.train.prepare --latents"


@dataclass(frozen=True, order=True)
class Bucket:
    """A size and length of clips, in HR pixels and frames; sides are padded to multiples of 32 before encoding."""

    height: int
    width: int
    frames: int

    def __post_init__(self):
        if min(self.height, self.width) < 1:
            raise ValueError(f"{self}: sides are at least 1 pixel")
        if self.height % SCALE or self.width % SCALE:
            raise ValueError(f"{self}: sides are multiples of {SCALE}, the scale of the LR clips")
        latent_frames(self.frames)

    @classmethod
    def parse(cls, text: str) -> Bucket:
        """Parse a bucket like "1080x1920x49". Raises `UserError`."""
        try:
            height, width, frames = (int(part) for part in text.lower().split("x"))
            return cls(height, width, frames)
        except ValueError as error:
            why = f" ({error})" if "frames" in str(error) or "sides" in str(error) else ""
            raise UserError(f"bucket '{text}': HEIGHTxWIDTHxFRAMES, as 1080x1920x49, frames 8k+1{why}") from error

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.frames}"

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Frames, rows and columns of the latents."""
        rows, columns = (pad_to(side, SPATIAL_COMPRESSION) // SPATIAL_COMPRESSION for side in (self.height, self.width))
        return latent_frames(self.frames), rows, columns


def autoencoder_mark(autoencoder: LTXAutoencoder) -> dict[str, str]:
    """Identity of an autoencoder's latents, for comparison: its layout, and a hash of the encoder in bfloat16."""
    digest = hashlib.sha256()
    state = autoencoder.state_dict()
    for name in sorted(name for name in state if not name.startswith("decoder.")):
        digest.update(state[name].detach().to("cpu", torch.bfloat16).contiguous().view(torch.uint8).numpy().tobytes())
    return {"format": FORMAT, "autoencoder": autoencoder.layout.name, "encoder_sha256": digest.hexdigest()}


def write_manifest(folder: Path, mark: dict[str, str]) -> None:
    """Write into a folder which autoencoder its latents are of.

    Args:
        mark: see `autoencoder_mark`.
    Raises:
        UserError: the folder has latents of another one.
    """
    if (folder / MANIFEST).is_file():
        check_manifest(folder, mark)
        return
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")


def check_manifest(folder: Path, mark: dict[str, str]) -> None:
    """Raise `UserError` unless a folder's latents are of the autoencoder with this mark."""
    path = folder / MANIFEST
    found = parse_json(path.read_text(encoding="utf-8"), str(path), REMEDY)
    if found != mark:
        layout = found.get("autoencoder", "?") if isinstance(found, dict) else "?"
        raise UserError(
            f"{folder}: latents of another autoencoder (layout {layout}) than the model's ({mark['autoencoder']}):"
            " prepare them anew in another folder, with the model's weights"
        )


def source_name(path: Path) -> str:
    """Beginning of the names of the latents that are made of a file; no other file has it."""
    return f"{path.stem}-{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]}"


def write_latents(path: Path, latent: Tensor, conditions: list[Tensor], recipe: str) -> None:
    """Write a clip's latents (C, F, h, w) as float16; `recipe`: description of everything they depend on."""
    tensors = {"latent": latent} | {f"condition.{index}": each for index, each in enumerate(conditions)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(
            save({k: v.to("cpu", torch.float16).contiguous() for k, v in tensors.items()}, {"recipe": recipe})
        )


def is_written(path: Path, recipe: str) -> bool:
    """Whether a file holds latents made by this recipe."""
    try:
        with open_weights(path) as file:
            return (file.metadata() or {}).get("recipe") == recipe
    except (OSError, ValueError):
        return False


class LatentFolder:
    """Samples from folders of stored latents.

    Raises:
        FileNotFoundError: no latents in them.
        UserError: latents of another autoencoder than the mark's.
    """

    encoded = True

    def __init__(self, folders: list[Path], mark: dict[str, str]):
        self.files: dict[str, list[Path]] = {}
        for folder in folders:
            check_manifest(folder, mark)
            for path in sorted(folder.glob("*x*x*/*.safetensors")):
                if not path.name.startswith("."):  # a killed preparation leaves an unfinished file under such a name
                    self.files.setdefault(path.parent.name, []).append(path)
        if not self.files:
            raise FileNotFoundError(f"{', '.join(map(str, folders))}: no latents here; {REMEDY}")
        self._sources = {path.name.rpartition("-")[0] for paths in self.files.values() for path in paths}
        self._sizes: dict[str, tuple[Path, torch.Size]] = {}  # bucket -> a file, and its frames, rows and columns
        self.clips = [name for name in self.files if Bucket.parse(name).frames > 1]

    def is_made_of(self, path: Path) -> bool:
        """Whether latents here were made of the file that is at this path."""
        return source_name(path) in self._sources

    def describe(self) -> str:
        counts = ", ".join(f"{len(paths)} of {name}" for name, paths in sorted(self.files.items()))
        return f"latents: {counts}"

    def bucket(self, rng: np.random.Generator, stills: bool) -> str:
        """Draw a size, with a probability proportional to its number of files."""
        names = list(self.files) if stills else self.clips
        if not names:
            raise FileNotFoundError("no latents of clips, stills alone: prepare a bucket of 9 frames or more")
        counts = np.array([len(self.files[name]) for name in names], float)
        return names[rng.choice(len(names), p=counts / counts.sum())]

    def sample(self, rng: np.random.Generator, bucket: str, stills: bool) -> tuple[Tensor, Tensor]:
        """Draw a GT latent and the condition of one of its degradations, (C, F, h, w) each, one frame for stills.

        Raises:
            ValueError: the file is damaged, or of another size than its folder's.
        """
        path = self.files[bucket][rng.integers(len(self.files[bucket]))]
        found = self._read(path, rng)
        first, size = self._sizes.setdefault(bucket, (path, found["latent"].shape[1:]))
        if {value.shape[1:] for value in found.values()} != {size}:
            raise ValueError(f"{path}: latents of another size than those in {first.name}; {REMEDY}")
        frames = slice(0, 1) if stills else slice(None)
        return found["latent"][:, frames].float(), found["condition"][:, frames].float()

    def _read(self, path: Path, rng: np.random.Generator) -> dict[str, Tensor]:
        """Read the latent of a file and the condition of one of its degradations, in this order."""
        try:
            with open_weights(path) as file:
                names = sorted(name for name in file.keys() if name.startswith("condition."))
                chosen = names[rng.integers(len(names))] if names else "condition.0"
                found = read_tensors(file, path, ["latent", chosen])
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path}: damaged; {REMEDY}") from error
        return {"latent": found["latent"], "condition": found[chosen]}
