"""Loading of LTX-Video files: checkpoints, and the text embedding of the one fixed prompt."""

from __future__ import annotations

import re
from pathlib import Path

from torch import Tensor

from turbovsr.ltx import autoencoder_keys, transformer_weights
from turbovsr.ltx.model import LTXModel
from turbovsr.weights_file import open_weights, read_shapes, read_tensors

FOLDERS = ("transformer", "vae")  # of a diffusers checkpoint
SHARD = re.compile(r"(.*-)\d{5}(-of-(\d{5})\.safetensors)")


def files_of(folder: Path) -> list[tuple[str, Path]]:
    """The .safetensors files of a diffusers folder, each with the name of its part, "transformer" or "vae".

    Raises:
        ValueError: there are none; a part has other files alone, such as pickled weights; a shard is missing.
    """
    found = [(part, file) for part in FOLDERS for file in sorted((folder / part).glob("*.safetensors"))]
    for part in FOLDERS:
        names = {file.name for name, file in found if name == part}
        if not names and (folder / part).is_dir():
            raise ValueError(
                f"{folder / part}: no .safetensors file in it; get it, convert what is pickled, or remove the folder to"
                f" go without {part}"
            )
        shards = {shard.groups() for shard in map(SHARD.fullmatch, names) if shard}
        wanted = {f"{start}{number:05}{end}" for start, end, last in shards for number in range(1, int(last) + 1)}
        if missing := sorted(wanted - names):
            raise ValueError(f"{folder / part}: {len(missing)} shards are missing, {missing[0]} first; get them")
    if not found:
        raise ValueError(f"{folder}: no {' or '.join(f'{part}/*.safetensors' for part in FOLDERS)} in this folder")
    return found


def read(path: str | Path) -> dict[str, Tensor]:
    """Read the weights of a .safetensors file, or of a diffusers folder with its parts' names in front.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: it is not in the safetensors format; as `files_of`.
    """
    path = Path(path)
    if not path.is_dir():
        return _read_file(path)
    found: dict[str, Tensor] = {}
    for part, file in files_of(path):
        found |= {f"{part}.{key}": value for key, value in _read_file(file).items()}
    return found


def read_prompt(path: str | Path) -> Tensor:
    """Read the text embedding of a file, (1, L, C), without the tokens that its mask excludes.

    Raises:
        ValueError: the file has no prompt_embeds of floats, (L, C) or (1, L, C), or its mask excludes all tokens.
    """
    path = Path(path)
    with open_weights(path) as file:
        names = set(file.keys())
        if "prompt_embeds" not in names:
            raise ValueError(
                f"{path}: no prompt_embeds in this file, only {', '.join(sorted(names)[:10]) or 'nothing'}"
            )
        text = read_tensors(file, path, ["prompt_embeds"])["prompt_embeds"]
        mask = file.get_tensor("prompt_attention_mask").flatten() if "prompt_attention_mask" in names else None
    if not text.is_floating_point() or text.ndim not in (2, 3) or (text.ndim == 3 and len(text) != 1):
        raise ValueError(
            f"{path}: prompt_embeds are {text.dtype} {tuple(text.shape)}; floats (L, C) or (1, L, C) are needed"
        )
    text = text.flatten(0, -2)
    if mask is not None:
        if len(mask) != len(text):
            raise ValueError(f"{path}: prompt_attention_mask is of {len(mask)} tokens, prompt_embeds of {len(text)}")
        text = text[mask.bool()]
    if not len(text):
        raise ValueError(f"{path}: prompt_attention_mask leaves no token")
    return text.unsqueeze(0)


def fill(model: LTXModel, path: str | Path) -> dict[str, str]:
    """Fill a model from an LTX-Video checkpoint; parts that the file lacks keep their random weights.

    Returns:
        Metadata for the descriptor: weights, licence, notes.
    Raises:
        ValueError: the file has neither part, or the keys of a part do not fit.
    """
    state = read(path)
    taken: list[str] = []
    random = [name for name in ("projection", "decoder") if getattr(model, name) is not None]
    for name, has, load in (
        ("autoencoder", autoencoder_keys.is_autoencoder, autoencoder_keys.load),
        ("transformer", transformer_weights.is_transformer, transformer_weights.load),
    ):
        if has(state):
            taken.insert(0, f"{name}: {load(getattr(model, name), state, str(path))}")
        else:
            random.insert(0, name)
    if not taken:
        raise ValueError(f"{path}: neither an LTX-Video transformer nor its autoencoder is in this file")
    notes = "LTX-Video weights, untrained for super-resolution: timed only"
    return {
        "weights": f"{Path(path).name}: {'. '.join(taken)}",
        "licence": "that of the LTX-Video checkpoint",
        "notes": f"{notes}; random weights: {', '.join(random)}" if random else notes,
    }


def _read_file(path: Path) -> dict[str, Tensor]:
    with open_weights(path) as file:
        return read_tensors(file, path, read_shapes(file, path))
