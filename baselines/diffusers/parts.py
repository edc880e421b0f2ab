"""The networks, schedulers and tokenizer of a pipeline, each built by its own class from plain data.

A pipeline's index may name any class of any package, but it is not followed: classes come from fixed lists, options
that a class does not have are left out, and tensors are loaded only if every name and shape agrees.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file

from baselines.diffusers.folder import INDEX, weights_of
from frames.errors import did_you_mean, short_line
from frames.text_files import read_json

if TYPE_CHECKING:
    from torch import nn

REMEDY = "give the folder of a pipeline that diffusers has saved"
MOST_LAYERS, MOST_BLOCKS, MOST_STEPS = 256, 16, 10_000
"""Above these a configuration is refused: a network of a million layers takes hours to build before it is refused."""
_OLD_NAMES = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}


def network(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """Build a network of diffusers with its weights in `dtype`, frozen and in evaluation mode.

    Args:
        kind: its class.
    Raises:
        FileNotFoundError, UserError, ValueError: its folder holds no configuration or weights of it; one line.
    """
    options = _known(kind, _config(folder))
    return filled(lambda: kind(**options), folder, dtype, _current_name)


def text_encoder(folder: Path, dtype: torch.dtype) -> Any:
    """Build CLIP's text encoder; see `network`."""
    from transformers import CLIPTextConfig, CLIPTextModel

    options = {key: value for key, value in _config(folder).items() if key in CLIPTextConfig.__annotations__}
    model: Any = filled(lambda: CLIPTextModel(CLIPTextConfig(**options)), folder, dtype, _clip_name)
    model.embeddings.register_buffer("position_ids", torch.arange(model.config.max_position_embeddings)[None])
    return model


def tokenizer(folder: Path, most: int) -> Any:
    """Build CLIP's tokenizer.

    Args:
        most: largest number of tokens of a prompt.
    Raises:
        ValueError: its files are not those of CLIP's tokenizer.
    """
    from transformers import CLIPTokenizer

    try:
        return CLIPTokenizer.from_pretrained(str(folder), local_files_only=True, model_max_length=most)
    except Exception as error:
        raise ValueError(f"{folder}: no tokenizer of CLIP ({short_line(error)}); {REMEDY}") from None


def scheduler(folder: Path, name: str = "") -> Any:
    """Build a noise scheduler, of one of the classes that diffusers lists for such pipelines.

    Args:
        name: its class; "": the one that its file names.
    Raises:
        ValueError: an unknown class, or a configuration that does not make one.
    """
    import diffusers
    from diffusers.schedulers import KarrasDiffusionSchedulers

    file = folder / "scheduler_config.json"
    config = _mapping(file)
    name, known = name or str(config.get("_class_name")), [each.name for each in KarrasDiffusionSchedulers]
    if name not in known:
        raise ValueError(f"{file}: a scheduler of class {name[:60]!r}{did_you_mean(name, known)}")
    kind = getattr(diffusers, name)
    _check_counts(file, config)
    try:
        return kind(**_known(kind, config))
    except Exception as error:
        raise ValueError(f"{file}: no {name} can be made of it ({short_line(error)}); {REMEDY}") from None


def most_noise(folder: Path) -> int:
    """Read the highest noise level of a Stable Diffusion upscaler from its index; 350 if it is not there."""
    level = _mapping(folder / INDEX).get("max_noise_level", 350)
    if isinstance(level, bool) or not isinstance(level, int) or not 0 <= level <= MOST_STEPS:
        raise ValueError(f"{folder / INDEX}: max_noise_level is {str(level)[:40]}, not a number of steps; {REMEDY}")
    return level


def filled(
    build: Callable[[], nn.Module], folder: Path, dtype: torch.dtype, renamed: Callable[[str], str]
) -> nn.Module:
    """Build a network and load the tensors of its folder.

    Args:
        build: makes the network; called on the meta device.
        renamed: name of a tensor in the file -> its name in the network; "": left out.
    Raises:
        FileNotFoundError, ValueError: weights that are missing, unreadable or of another network.
    """
    try:
        with torch.device("meta"):
            model = build()
    except Exception as error:
        raise ValueError(
            f"{folder / 'config.json'}: no network can be made of it ({short_line(error)}); {REMEDY}"
        ) from None
    tensors: dict[str, torch.Tensor] = {}
    for file in weights_of(folder):
        try:
            tensors |= {new: value for name, value in load_file(file).items() if (new := renamed(name))}
        except Exception as error:
            raise ValueError(f"{file}: not a readable safetensors file ({short_line(error)}); fetch it again") from None
    _check_same(folder, {name: value.shape for name, value in model.state_dict().items()}, tensors)
    model.load_state_dict({name: value.to(dtype) for name, value in tensors.items()}, assign=True)
    return model.eval().requires_grad_(False)


def _check_same(folder: Path, wanted: Mapping[str, torch.Size], found: Mapping[str, torch.Tensor]) -> None:
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    unlike = [name for name in wanted if name in found and found[name].shape != wanted[name]]
    if missing:
        what = f"{missing[0]} is missing ({len(missing)} in all)"
    elif extra:
        what = f"{extra[0]} has no place in it ({len(extra)} in all)"
    elif unlike:
        what = f"{unlike[0]} is {tuple(found[unlike[0]].shape)}, not {tuple(wanted[unlike[0]])}"
    else:
        return
    raise ValueError(f"{folder}: weights and config.json do not fit each other: {what}; {REMEDY}")


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    config = _mapping(file)
    _check_counts(file, config)
    return config


def _mapping(file: Path) -> dict[str, Any]:
    config = read_json(file, REMEDY)
    if not isinstance(config, dict):
        raise ValueError(f"{file}: not a mapping of options; {REMEDY}")
    return config


def _check_counts(file: Path, config: Mapping[str, Any]) -> None:
    """Refuse a configuration whose network or schedule would take hours to build."""
    for key, value in config.items():
        most = MOST_STEPS if "timesteps" in key else MOST_LAYERS if "layers" in key or "num_blocks" in key else None
        listed = value if isinstance(value, list) else [value]
        if most is not None and any(isinstance(each, (int, float)) and each > most for each in listed):
            raise ValueError(f"{file}: {key} is {str(value)[:40]}, more than {most}; {REMEDY}")
        if len(listed) > MOST_BLOCKS and ("block" in key or "layers" in key):
            raise ValueError(f"{file}: {key} lists {len(listed)} blocks, more than {MOST_BLOCKS}; {REMEDY}")


def _known(kind: type, config: Mapping[str, Any]) -> dict[str, Any]:
    options = inspect.signature(kind).parameters
    return {key: value for key, value in config.items() if key in options}


def _current_name(name: str) -> str:
    """Translate names of attention layers in old files to those of today."""
    for old, new in _OLD_NAMES.items():
        name = name.replace(old, new)
    return name


def _clip_name(name: str) -> str:
    name = re.sub(r"^text_model\.", "", name)
    return "" if name == "embeddings.position_ids" else name


def parameters(*networks: nn.Module) -> int:
    """Number of parameters of all networks together."""
    return sum(each.numel() for network in networks for each in network.parameters())
