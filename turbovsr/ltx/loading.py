"""Loading of LTX-Video files: checkpoints, and the text embedding of the one fixed prompt."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from turbovsr.ltx import autoencoder_keys, transformer_weights
from turbovsr.ltx.model import LTXModel
from turbovsr.weights_file import open_weights, read_shapes, read_tensors

FOLDERS = ("transformer", "vae")  # of a diffusers checkpoint


def read(path: str | Path) -> dict[str, Tensor]:
    """Read the weights of a .safetensors file, or of a diffusers folder with its parts' names in front.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: it is not in the safetensors format, or the folder has neither a transformer nor a vae.
    """
    path = Path(path)
    if not path.is_dir():
        return _read_file(path)
    found: dict[str, Tensor] = {}
    for folder in FOLDERS:
        for file in sorted((path / folder).glob("*.safetensors")):
            found |= {f"{folder}.{key}": value for key, value in _read_file(file).items()}
    if not found:
        raise ValueError(f"{path}: no {' or '.join(f'{folder}/*.safetensors' for folder in FOLDERS)} in this folder")
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
