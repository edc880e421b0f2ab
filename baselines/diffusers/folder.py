"""A pipeline's folder: the user's own, or a snapshot of the hub in this machine's cache.

Only JSON, text and safetensors are downloaded or read: no pickles, and no code of a model.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from frames.door import check_regular
from frames.errors import EnvironmentInvalid, UserError, short_line
from frames.text_files import read_json

HOW_TO_INSTALL = "pip install diffusers transformers (the extra `diffusers` of this project)"
INDEX = "model_index.json"
WEIGHTS = re.compile(r"(diffusion_pytorch_)?model(-\d{5}-of-\d{5})?\.safetensors")
"""The names of weights in full precision, whole or in shards; "model.fp16.safetensors" is none."""
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_ASKED = ("config.json", "scheduler_config.json", "*.txt", "tokenizer*.json", "special_tokens_map.json", "vocab.json")
_STEMS = ("diffusion_pytorch_model", "model")


@dataclass(frozen=True)
class Found:
    """A pipeline's folder and where it comes from.

    Attributes:
        digest: sha256 of the names and contents of all files that are read of it.
        origin: for a descriptor.
    """

    folder: Path
    digest: str
    origin: str


@dataclass(frozen=True)
class Wanted:
    """Description of a pipeline: its class, the folders of its networks, and those of its schedulers and tokenizer."""

    pipeline: str
    networks: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        return (*self.networks, *self.others)


def find(model: str, wanted: Wanted, revision: str | None = None) -> Found:
    """Find the folder of a pipeline; download it from the hub if it is not in the cache.

    Args:
        model: a folder, or the hub's name of one ("stabilityai/stable-diffusion-x4-upscaler").
        revision: a commit, branch or tag of the hub; None: main.
    Raises:
        EnvironmentInvalid: the hub is needed and cannot be reached.
        FileNotFoundError, ValueError, UserError: no such folder, another pipeline, or a part that is missing.
    """
    local = Path(model).expanduser()
    if local.is_dir():
        if revision is not None:
            raise ValueError(f"method.revision={revision}: {model} is a folder, which has none; leave it out")
        folder, origin = local, f"{local.resolve().name}, a folder of the user's"
    elif _HUB_NAME.fullmatch(model):
        folder = _of_hub(model, wanted, revision)
        origin = f"{model} of the hub at {folder.name[:12]}"
    else:
        raise FileNotFoundError(f"{model}: no such folder, and no name of the hub; write OWNER/NAME or a folder's path")
    _check_index(folder, wanted.pipeline)
    files = _files(folder, wanted)
    digest = _digest(folder, files)
    return Found(folder, digest, f"{origin} (sha256 {digest[:12]})")


def weights_of(folder: Path) -> list[Path]:
    """List the safetensors files of a network's folder, shards in order.

    Raises:
        FileNotFoundError: there are none; the message says if there are pickles instead.
    """
    found = sorted(file for file in folder.glob("*.safetensors") if WEIGHTS.fullmatch(file.name))
    if found:
        return found
    pickles = any(folder.glob("*.bin")) or any(folder.glob("*.ckpt"))
    why = "pickles (.bin) are not read here" if pickles else "the folder is not complete"
    raise FileNotFoundError(f"{folder}: no model.safetensors or diffusion_pytorch_model.safetensors; {why}")


def _of_hub(name: str, wanted: Wanted, revision: str | None) -> Path:
    """Find a snapshot of the hub with every part in the cache, or download it."""
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    patterns = [INDEX, *(f"{part}/{file}" for part in wanted.parts for file in (*_ASKED, *_weights_asked()))]

    def snapshot(**options: Any) -> Path:
        return Path(huggingface_hub.snapshot_download(name, revision=revision, allow_patterns=patterns, **options))

    cached = _cached(snapshot, wanted)
    if cached is not None:
        return cached
    try:
        return snapshot()
    except (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError) as error:
        at = f" at revision {revision}" if revision else ""
        raise UserError(
            f"method.model={name}: no such folder here, and the hub has none{at} ({short_line(error, 120)})"
        ) from None
    except Exception as error:  # the network fails in many classes
        raise EnvironmentInvalid(
            f"method.model={name}: no such folder here, it is not in the hub's cache, and the hub cannot be reached "
            f"({short_line(error, 120)}); run `hf download {name}` where there is a network and give its folder"
        ) from None


def _cached(snapshot: Callable[..., Path], wanted: Wanted) -> Path | None:
    """The snapshot in the cache if it has all parts; an interrupted download leaves some out."""
    try:
        folder = snapshot(local_files_only=True)
        _files(folder, wanted)
    except Exception:  # none in the cache, in whatever class this version of the hub's client says so
        return None
    return folder


def _weights_asked() -> list[str]:
    return [f"{stem}{shard}.safetensors" for stem in _STEMS for shard in ("", "-?????-of-?????")]


def _check_index(folder: Path, pipeline: str) -> None:
    index = read_json(folder / INDEX, "give the folder of a pipeline that diffusers has saved")
    name = index.get("_class_name") if isinstance(index, dict) else None
    if name != pipeline:
        others = {"LTXLatentUpsamplePipeline": "ltx_upsampler", "StableDiffusionUpscalePipeline": "diffusers"}
        use = f"use method={others[name]}" if isinstance(name, str) and name in others else f"give a {pipeline}"
        raise ValueError(f"{folder / INDEX}: a pipeline of class {str(name)[:60]!r}; {use}")


def _files(folder: Path, wanted: Wanted) -> tuple[Path, ...]:
    """List all files that are read; checks that each is a regular file and that weights are there."""
    found = [folder / INDEX]
    for part in wanted.parts:
        inside = folder / part
        if not inside.is_dir():
            raise FileNotFoundError(f"{inside}: no such folder; the pipeline is not complete")
        found += sorted(file for file in inside.iterdir() if file.suffix in (".json", ".txt"))
        if part in wanted.networks:
            found += weights_of(inside)
    for file in found:
        check_regular(file)
    return tuple(found)


def _digest(folder: Path, files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode())
        with open(file, "rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def imported(*names: str) -> None:
    """Import the packages that a pipeline needs.

    Raises:
        EnvironmentInvalid: a package cannot be imported; the message says what to install.
    """
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # versions that do not fit each other fail in many ways
            raise EnvironmentInvalid(
                f"the package {name} cannot be imported ({short_line(error)}); {HOW_TO_INSTALL}"
            ) from None


def versions(*packages: str) -> dict[str, str]:
    """Versions of installed packages by name."""
    return {name: importlib.metadata.version(name) for name in packages}
