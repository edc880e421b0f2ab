"""Reading of the initial weights block by block, and writing of the final file."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from frames.atomic import replacing
from turbovsr import checkpoints
from turbovsr.ltx import autoencoder_keys, transformer_weights
from turbovsr.ltx.loading import files_of
from turbovsr.ltx.model import LTXConfig, LTXModel
from turbovsr.train.distributed import barrier, rank
from turbovsr.train.ltx import lora
from turbovsr.train.ltx.sharding import (
    Named,
    fill,
    gather,
    meta_model,
    random_autoencoder,
    random_transformer,
)
from turbovsr.train.messages import info
from turbovsr.weights_file import mismatch, open_weights, read_shapes, read_tensors, shapes_of

LICENCE = "that of the LTX-Video checkpoint it was trained from, if any"


class WeightFiles:
    """The tensors of a .safetensors file, or of a diffusers folder with its parts' names in front; read by name.

    Raises:
        FileNotFoundError, ValueError: as `turbovsr.weights_file.open_weights` and `turbovsr.ltx.loading.files_of`.
    """

    def __init__(self, path: Path):
        self.path = path
        self.meta: dict[str, Tensor] = {}
        self._places: dict[str, tuple[Path, str]] = {}
        files = [("", path)]
        if path.is_dir():
            files = [(f"{part}.", file) for part, file in files_of(path)]
        for prefix, file in files:
            with open_weights(file) as opened:
                for name, shape in read_shapes(opened, file).items():
                    self.meta[prefix + name] = torch.empty(shape, device="meta")
                    self._places[prefix + name] = file, name

    def read(self, names: list[str]) -> dict[str, Tensor]:
        """Read the tensors of these names."""
        found: dict[str, Tensor] = {}
        for file in dict.fromkeys(self._places[name][0] for name in names):
            own = {self._places[name][1]: name for name in names if self._places[name][0] == file}
            with open_weights(file) as opened:
                found |= {own[name]: value for name, value in read_tensors(opened, file, own).items()}
        return found


def start(model: LTXModel, path: Path | None, seed: int) -> str:
    """Fill a sharded model with the weights that training begins with; returns a line on where they are from.

    Args:
        path: an LTX-Video checkpoint, a file or a diffusers folder; a checkpoint of TurboVSR's own; None: random ones.
    Raises:
        FileNotFoundError, ValueError: the weights are missing, damaged or of another model.
    """
    config = model.config
    if path is None:
        fill(model.transformer, random_transformer(config, seed))
        return fill_autoencoder(model, None, seed)
    own = None if path.is_dir() else checkpoints.read_header(path)
    if own is not None:
        _fill_from_own(model, path, int(own.config.get("prompt_tokens", 0)))
        return f"{path.name}, a checkpoint of TurboVSR"
    files = WeightFiles(path)
    parts = []
    if transformer_weights.is_transformer(files.meta):
        _, report = transformer_weights.translated(meta_model(config).transformer, files.meta, str(path))
        fill(model.transformer, _additions(config, seed))
        fill(model.transformer, _of_ltx(files, report.left_out, model))
        parts.append(f"transformer: {report}")
    else:
        fill(model.transformer, random_transformer(config, seed))
        parts.append("transformer: random weights")
    return "; ".join([*parts, f"autoencoder: {fill_autoencoder(model, path, seed)}"])


def _fill_from_own(model: LTXModel, path: Path, tokens: int) -> None:
    """Fill a model from a checkpoint of TurboVSR that was trained with a text of `tokens` tokens, 0 for none.

    Raises:
        ValueError: it is of another model, or was trained with another text.
    """
    text = None if model.prompt is None else model.prompt.clone()
    given = "names no text" if text is None else f"names a text of {text.shape[1]} tokens"
    if tokens != model.config.prompt_tokens:
        trained = f"with a text of {tokens} tokens" if tokens else "without the text branch"
        raise ValueError(f"{path}: trained {trained}, and prompt= {given}: give the same as there")
    fill(model, _of_own(path, model.config))
    # One of the two texts may have been rounded to bfloat16.
    if text is not None and model.prompt is not None and not torch.allclose(text, model.prompt, rtol=1e-2):
        raise ValueError(f"{path}: trained with another text of {tokens} tokens than prompt= names: give the same")


def fill_autoencoder(model: LTXModel, path: Path | None, seed: int) -> str:
    """Fill a model's autoencoder alone; arguments and errors as for `start`."""
    if path is None:
        fill(model.autoencoder, random_autoencoder(model.config, seed))
        return "random weights"
    if not path.is_dir() and checkpoints.read_header(path) is not None:
        fill(model, (value for value in _of_own(path, model.config) if value[0].startswith("autoencoder.")))
        return f"{path.name}, a checkpoint of TurboVSR"
    files = WeightFiles(path)
    if not autoencoder_keys.is_autoencoder(files.meta):
        raise ValueError(f"{path}: no autoencoder in this file; name a file or folder that has one")
    names = [name for name in files.meta if not name.startswith(transformer_weights.PREFIXES)]
    return str(autoencoder_keys.load(model.autoencoder, files.read(names), str(path)))


def exact_autoencoder(config: LTXConfig, path: Path | None, seed: int) -> dict[str, Tensor]:
    """The autoencoder's weights in float32 by their names in a model; arguments and errors as for `start`."""
    model = meta_model(config)
    model.autoencoder.to_empty(device="cpu")
    fill_autoencoder(model, path, seed)
    return {f"autoencoder.{name}": value for name, value in model.autoencoder.state_dict().items()}


def _additions(config: LTXConfig, seed: int) -> Iterator[Named]:
    """Yield random weights for the step embedding, which LTX's files lack."""
    for name, value in random_transformer(dataclasses.replace(config, transformer_depth=0), seed):
        if name.startswith("embed_step."):
            yield name, value


def _of_ltx(files: WeightFiles, left_out: list[str], model: LTXModel) -> Iterator[Named]:
    """Yield the transformer's weights in an LTX file under our names, one block in memory at a time."""
    groups: dict[str, list[str]] = {}
    for name in files.meta:
        if not name.startswith(autoencoder_keys.PREFIXES):
            _, is_block, rest = name.partition("transformer_blocks.")
            groups.setdefault(rest.split(".")[0] if is_block else "", []).append(name)
    columns = model.transformer.condition_channels
    for names in groups.values():
        found, _ = transformer_weights.to_our_names(transformer_weights.to_diffusers_names(files.read(names)))
        for name, value in found.items():
            if name == "embed.weight" and value.shape[1] < model.transformer.embed.weight.shape[1]:
                value = torch.cat([value, value.new_zeros(len(value), columns)], dim=1)
            if name not in left_out:
                yield name, value


def _of_own(path: Path, config: LTXConfig) -> Iterator[Named]:
    """Yield the weights in a checkpoint of TurboVSR, one in memory at a time."""
    with open_weights(path) as file:
        shapes = read_shapes(file, path)
        wrong = mismatch(shapes_of(meta_model(config).state_dict()), shapes)
        if wrong:
            raise ValueError(f"{path}: wrong weights for this model: {wrong}")
        for name in shapes:
            yield name, read_tensors(file, path, [name])[name]


@dataclass(frozen=True)
class Trained:
    """Result of a stage: the model's configuration and its weights, which may be sharded."""

    config: LTXConfig
    state: Iterable[Named]


@dataclass(frozen=True)
class Gathered:
    """A model's description and its whole weights, for `turbovsr.checkpoints.save`."""

    kind: str
    config: Any
    state: Mapping[str, Tensor]

    def state_dict(self) -> Mapping[str, Tensor]:
        return self.state


def export(config: LTXConfig, state: Iterable[Named], path: Path, **notes: str) -> None:
    """Write a sharded model to one file that `method=turbovsr_2b method.weights=` takes. All processes must call it.

    Adapters are merged, and written to a folder of PEFT's beside it as well, `NAME.lora` beside `NAME.safetensors`.

    Meanwhile the first process holds the whole model in main memory.
    """
    gathered = gather(state, torch.float32)
    if rank() == 0:
        if any(name.endswith(lora.DOWN) for name in gathered):
            lora.write_adapter(path.with_suffix(".lora"), gathered, notes.get("origin", ""))
        with replacing(path) as temporary:
            whole_model = Gathered(LTXModel.kind, config, lora.merged(gathered))
            checkpoints.save(whole_model, temporary, torch.float32, **notes)
        info(f"wrote {path}")
    barrier()
