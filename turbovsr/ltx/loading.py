"""LTX-Video files into a model of the LTX shape: checkpoints, and the text embedding of the one fixed prompt."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from turbovsr.ltx import autoencoder_keys, transformer_weights
from turbovsr.ltx.model import LTXModel

FOLDERS = ("transformer", "vae")  # of a diffusers checkpoint


def read(path: str | Path) -> dict[str, Tensor]:
    """The weights of a .safetensors file, or of a diffusers folder with its parts' names in front.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: it is not in the safetensors format, or the folder has neither a transformer nor a vae.
    """
    path = Path(path)
    if not path.is_dir():
        return _read_file(path)
    found = {}
    for folder in FOLDERS:
        for file in sorted((path / folder).glob("*.safetensors")):
            found |= {f"{folder}.{key}": value for key, value in _read_file(file).items()}
    if not found:
        raise ValueError(f"{path}: no {' or '.join(f'{folder}/*.safetensors' for folder in FOLDERS)} in this folder")
    return found


def read_prompt(path: str | Path) -> Tensor:
    """The text embedding in a file, (1, L, C), only the tokens that its mask counts.

    Raises:
        ValueError: the file has no prompt_embeds, or none of their tokens counts.
    """
    found = _read_file(Path(path))
    if "prompt_embeds" not in found:
        raise ValueError(f"{path}: no prompt_embeds in this file, only {', '.join(found) or 'nothing'}")
    text = found["prompt_embeds"].reshape(-1, found["prompt_embeds"].shape[-1])
    if "prompt_attention_mask" in found:
        text = text[found["prompt_attention_mask"].reshape(-1).bool()]
    if not len(text):
        raise ValueError(f"{path}: prompt_attention_mask leaves no token")
    return text.unsqueeze(0)


def fill(model: LTXModel, path: str | Path) -> dict[str, str]:
    """Fill a model with random weights from an LTX-Video checkpoint: whatever of it the file has.

    Returns:
        What to tell users of the result: weights, licence, notes.
    Raises:
        ValueError: the file has neither part, or a part does not fit; all keys that do not are named.
    """
    state = read(path)
    taken, random = [], [name for name in ("projection", "decoder") if getattr(model, name) is not None]
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
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; give a .safetensors file or a diffusers folder")
    try:
        with safe_open(str(path), framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file ({error})") from error
