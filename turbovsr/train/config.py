"""The configuration of training: what can be set, and from the words on the command line to it.

Hydra composes `conf/train.yaml` with a recipe, a model size and a degradation; the dataclasses here say what all of it
must look like.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from turbovsr.checkpoints import packaged
from turbovsr.model import ModelConfig
from turbovsr.train.adversary import GanConfig
from turbovsr.train.autoencoding import BatchConfig
from turbovsr.train.diffusion import MixConfig
from turbovsr.train.loop import PRECISIONS, LoopConfig
from turbovsr.train.losses import PictureWeights
from turbovsr.train.optimizer import OPTIMIZERS
from turbovsr.train.schema import ConfigError, build, did_you_mean

CONF = Path(__file__).parent / "conf"
GROUPS = ("recipe", "model", "degradation")


@dataclass(frozen=True, kw_only=True)
class ComponentsConfig:
    """From how much the principal components are computed that the latent starts from."""

    batches: int = 40
    clips: int = 8


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What all kinds of stages have."""

    kind: str
    trained: tuple[str, ...]
    crop: int
    loop: LoopConfig
    start: str | None = None  # the stage whose weights it begins with, a packaged name or a .safetensors file
    batch: BatchConfig = field(default_factory=BatchConfig)
    noise: float = 0.0
    lively: float = 1.0  # for what share of the photographs' clips the liveliest of some crops is taken
    lively_of: int = 2  # of how many crops
    soft: float = 0.0  # what share of them is enlarged a little: much GT is less sharp than halved photographs
    grain: float = 0.0  # largest deviation of the noise on those, in levels of 8 bits
    vary: float = 0.0  # what share of all clips gets other colours and lies on its side

    def __post_init__(self):
        for part in self.trained:
            if part not in PARTS:
                raise ValueError(f"trained: unknown part '{part}'{did_you_mean(part, PARTS)}")
        if not self.trained:
            raise ValueError(f"trained: name at least one of {', '.join(PARTS)}")
        if self.crop < 32 or self.crop % 32:
            raise ValueError(f"crop must be a multiple of 32, got {self.crop}")
        for name in ("lively", "soft", "vary"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be from 0 to 1, got {getattr(self, name)}")
        for name, least in (("lively_of", 1), ("grain", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.batch.frames < 1 or (self.batch.frames - 1) % 8:
            raise ValueError(f"batch.frames must be 8k+1, got {self.batch.frames}")
        for name in ("steps", "save_every", "validate_every", "picture_every", "log_every"):
            if getattr(self.loop, name) < 1:
                raise ValueError(f"loop.{name} must be at least 1, got {getattr(self.loop, name)}")
        if self.loop.learning_rate <= 0 or self.loop.clip_gradient <= 0:
            raise ValueError("loop.learning_rate and loop.clip_gradient must be above 0")
        if not 0 <= getattr(self, "forget", 0) < 1:
            raise ValueError(f"forget must be from 0 to below 1, got {self.forget}")
        if self.loop.optimizer not in OPTIMIZERS:
            raise ValueError(
                f"loop.optimizer: unknown optimizer '{self.loop.optimizer}'"
                f"{did_you_mean(self.loop.optimizer, OPTIMIZERS)}"
            )


PARTS = ("encoder", "decoder", "projection", "transformer")


@dataclass(frozen=True, kw_only=True)
class Autoencoding(Stage):
    """Encoder and decoder, or the decoder alone (dropout 1)."""

    picture: PictureWeights = field(default_factory=PictureWeights)
    dropout: float = 0.0
    components: ComponentsConfig | None = None
    gan: GanConfig | None = None


@dataclass(frozen=True, kw_only=True)
class Diffusion(Stage):
    """The transformer on latents that do not change; `bootstrap` is the share of shortcut examples."""

    bootstrap: float = 0.25
    forget: float = 0.0  # share of the condition's numbers that the transformer is not shown


@dataclass(frozen=True, kw_only=True)
class Joint(Stage):
    """Transformer and decoder through sampled latents."""

    picture: PictureWeights = field(default_factory=PictureWeights)
    bootstrap: float = 0.25
    forget: float = 0.0
    mix: MixConfig = field(default_factory=MixConfig)
    gan: GanConfig | None = None


KINDS = {"autoencoding": Autoencoding, "diffusion": Diffusion, "joint": Joint}


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """All of it; `conf/train.yaml` says what each is for."""

    data: str | list[str]
    out: str
    stage: str
    stages: dict[str, Stage]
    model: ModelConfig
    degradation: Any
    lpips: str = ""
    vgg: str = ""
    dists: str = ""
    validate: list[str] = field(default_factory=list)
    validate_frames: int = 1
    video_share: float = 0.35
    halve_videos: bool = True
    cache_mb: int = 512
    workers: int = 1
    threads: int = 1
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    compile: bool = False  # the loss's networks by torch.compile

    def __post_init__(self):
        if self.stage != "all" and self.stage not in self.stages:
            raise ValueError(f"unknown stage '{self.stage}'{did_you_mean(self.stage, [*self.stages, 'all'])}")
        known = [*self.stages, *packaged()]
        for name, stage in self.stages.items():
            start = stage.start
            if start is not None and start not in known and not start.endswith(".safetensors"):
                raise ValueError(f"stages.{name}.start: unknown stage '{start}'{did_you_mean(start, known)}")
        if self.precision not in ("auto", *PRECISIONS):
            raise ValueError(
                f"unknown precision '{self.precision}'{did_you_mean(self.precision, ['auto', *PRECISIONS])}"
            )
        if not 0 <= self.video_share <= 1:
            raise ValueError(f"video_share must be from 0 to 1, got {self.video_share}")
        if self.threads < 1 or self.workers < 0 or self.cache_mb < 1 or self.validate_frames < 1:
            raise ValueError("threads, cache_mb and validate_frames must be at least 1, workers at least 0")
        if (self.validate_frames - 1) % 8:
            raise ValueError(f"validate_frames must be 8k+1, got {self.validate_frames}")


def members(group: str, config_dir: Path | None = None) -> list[str]:
    """The names in a config group, the user's own included."""
    folders = [CONF / group] + ([config_dir / group] if config_dir else [])
    return sorted(file.stem for folder in folders for file in folder.glob("*.yaml"))


def compose_plain(overrides: list[str], config_dir: Path | None = None) -> dict:
    """The composed configuration as plain dictionaries, not checked yet.

    Args:
        config_dir: a folder with `recipe/`, `model/` or `degradation/` of the user's own.
    Raises:
        ConfigError: words that cannot be read, or an unknown member of a group.
    """
    if config_dir is not None and not config_dir.is_dir():
        raise ConfigError(f"--config-dir {config_dir}: no such folder")
    for word in overrides:
        if "=" not in word:
            raise ConfigError(f"'{word}': options are KEY=VALUE, as in recipe=nano data=PATH out=FOLDER")
    lines = []
    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
    except HydraException as error:
        raise ConfigError(f"cannot read the options: {_first_line(error)}") from error
    for item in parsed:
        key = item.key_or_group
        if item.is_sweep_override():
            raise ConfigError(f"'{item.input_line}': one value at a time; write lists as {key}=[a,b]")
        if key in GROUPS:
            name = str(item.value())
            if name not in members(key, config_dir):
                own = "; your own files: --config-dir DIR with DIR/" + key + "/NAME.yaml" if "/" in name else ""
                raise ConfigError(f"unknown {key} '{name}'{did_you_mean(name, members(key, config_dir))}{own}")
            lines.append(item.input_line)
        else:  # whether the key exists is for the dataclasses to say: they know options that no file lists
            lines.append("++" + item.input_line.lstrip("+"))
    if config_dir is not None:
        lines.append(f"hydra.searchpath=[file://{config_dir.resolve()}]")
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            composed = compose("train", overrides=lines)
        return OmegaConf.to_container(composed, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_first_line(error.__cause__ or error)) from error


def checked(plain: dict) -> TrainConfig:
    """The configuration that plain dictionaries describe. Raises `ConfigError`."""
    plain = dict(plain)
    stages = plain.get("stages")
    if not isinstance(stages, dict) or not stages:
        raise ConfigError("the recipe has no stages")
    plain["stages"] = {}
    for name, values in stages.items():
        kind = values.get("kind") if isinstance(values, dict) else None
        if kind not in KINDS:
            raise ConfigError(f"stages.{name}.kind: unknown kind '{kind}'{did_you_mean(str(kind), KINDS)}")
        plain["stages"][name] = build(KINDS[kind], values, f"stages.{name}")
    plain["model"] = build(ModelConfig, plain.get("model") or {}, "model")
    plain["degradation"] = degradation(plain.get("degradation") or {})
    return build(TrainConfig, plain, "")


def degradation(values: dict) -> Callable:
    """The degradation that `_target_` names, with its parameters."""
    parameters = dict(values)
    target = str(parameters.pop("_target_", ""))
    module, _, name = target.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"degradation._target_: cannot find '{target}' ({error})") from error
    return build(kind, parameters, "degradation")


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]
