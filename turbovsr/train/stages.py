"""One stage of a recipe from its configuration to its weights, and all of them in turn."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from turbovsr import checkpoints, loading
from turbovsr.conditioning import trains_first_frame
from turbovsr.model import Model
from turbovsr.train.adversary import Adversary
from turbovsr.train.ahead import Drawn
from turbovsr.train.autoencoding import autoencoding_losses, normalise_latent
from turbovsr.train.components import start_from_components
from turbovsr.train.config import Autoencoding, Diffusion, Joint, Stage, TrainConfig
from turbovsr.train.console import note
from turbovsr.train.data import ClipSource
from turbovsr.train.degradations.basic import Bicubic
from turbovsr.train.diffusion import diffusion_losses, joint_losses
from turbovsr.train.distributed import barrier, rank
from turbovsr.train.dists import Dists
from turbovsr.train.loop import Loop
from turbovsr.train.losses import PictureLoss, PictureWeights, lpips_alex
from turbovsr.train.schema import ConfigError, EnvironmentInvalid
from turbovsr.train.step_random import StepRandom
from turbovsr.train.validate import Validation, autoencoder_outputs, generator_outputs, regression_outputs

PICTURED_STEP = 2**31  # of the random numbers that draw the crops for pictures: no stage trains so long


def run(config: TrainConfig, device: torch.device) -> None:
    """Train the stage that the configuration names, or all of them; what is finished is skipped."""
    names = list(config.stages) if config.stage == "all" else [config.stage]
    for name in names:
        if finished(config, name):
            note(f"stage {name} is finished: {weights_of(config, name)}")
        else:
            train_stage(config, name, device)
        barrier()
    note(f'done; to upscale with it: TurboVSR.from_pretrained("{weights_of(config, names[-1])}")')


def train_stage(config: TrainConfig, name: str, device: torch.device) -> None:
    """Train one stage, from its checkpoint where there is one, and write its EMA weights."""
    stage, folder = config.stages[name], Path(config.out) / name
    note(f"stage {name}: {stage.loop.steps} steps on {device}, {', '.join(stage.trained)}")
    torch.manual_seed(config.seed)
    if config.model.consistent and not isinstance(config.degradation, Bicubic):
        note(
            "the frames will agree with their LR frames, noise and all: set model.consistent=false, but for bicubic LR"
        )
    model = Model(config.model)
    if stage.start:
        previous, _ = loading.load(_start_weights(config, name))
        checkpoints.fill(model, previous.state_dict(), stage.start)
    source = ClipSource(
        config.data,
        stage.crop,
        config.video_share,
        config.degradation,
        config.halve_videos,
        config.cache_mb,
        stage.lively,
        stage.lively_of,
        stage.soft,
        stage.grain,
        stage.vary,
    )
    note(source.describe())
    resumes = (folder / "checkpoint.pt").is_file()
    _remember(config, name, folder, resumes)
    if isinstance(stage, Autoencoding) and stage.components and not resumes:
        share = start_from_components(model, source, **dataclasses.asdict(stage.components), seed=config.seed + 2)
        note(f"the components hold {share:.1%} of what the decoder misses")
    model.to(device).decoder.to(memory_format=torch.channels_last)
    networks = _networks(config, stage, device)
    precision = config.precision
    if precision == "auto":
        precision = "bfloat16" if device.type == "cuda" else "float32"
    adversary = Adversary(stage.gan, device) if getattr(stage, "gan", None) else None
    loop_config = dataclasses.replace(stage.loop, seed=config.seed)
    loop = Loop(model, list(stage.trained), loop_config, folder, adversary, precision)
    validation = _validation(config, stage, source, networks, device)
    ema = loop.run(
        _losses(model, stage, source, networks, Drawn(stage.batch, device)),
        validation,
        lambda random: stage.batch.draw(source, random, _stills(stage, random.step)),
        config.workers,
        validation.picture,
    )
    if rank() == 0:
        if isinstance(stage, Autoencoding):
            normalise_latent(ema, source, Drawn(stage.batch, device), batches=64, seed=config.seed + 1)
        weights = weights_of(config, name)
        partial = weights.with_suffix(".partial")
        checkpoints.save(ema, partial, torch.float32, **_marks(config, name))
        partial.replace(weights)


def weights_of(config: TrainConfig, name: str) -> Path:
    """Where the weights of a stage will be, or those of a packaged name or a file are."""
    return Path(config.out) / f"{name}.safetensors" if name in config.stages else checkpoints.resolve(name)


def finished(config: TrainConfig, name: str) -> bool:
    """Whether a stage's weights are there, of as many steps as wanted and begun with the weights that are there."""
    try:
        with safe_open(str(weights_of(config, name)), framework="pt") as file:
            metadata = file.metadata() or {}
    except (FileNotFoundError, SafetensorError):
        return False
    start = config.stages[name].start
    if start and not weights_of(config, start).is_file():
        return False
    return all(metadata.get(key) == value for key, value in _marks(config, name).items())


def _marks(config: TrainConfig, name: str) -> dict[str, str]:
    """What the metadata of a stage's weights say about where they come from."""
    stage = config.stages[name]
    marks = {"stage": name, "steps": str(stage.loop.steps), "seed": str(config.seed)}
    if stage.start:
        marks["start_sha256"] = hashlib.sha256(weights_of(config, stage.start).read_bytes()).hexdigest()
    return marks


def _start_weights(config: TrainConfig, name: str) -> Path:
    start = config.stages[name].start
    path = weights_of(config, start)
    if not path.is_file():
        raise ConfigError(
            f"stage {name} begins with the weights of {start}, but {path} is not there: train it first with"
            f" stage={start}, or everything with stage=all"
        )
    return path


def _remember(config: TrainConfig, name: str, folder: Path, resumes: bool) -> None:
    """Write a stage's settings beside its checkpoint; when it goes on, say what has changed since it began."""
    now = json.loads(json.dumps({f.name: getattr(config, f.name) for f in dataclasses.fields(config)}, default=_plain))
    stages = now.pop("stages")
    now = {"stage": stages[name], "marks": _marks(config, name)} | {k: v for k, v in now.items() if k in SETTINGS}
    path = folder / "settings.json"
    if resumes and path.is_file():
        before = json.loads(path.read_text())
        if before["marks"].get("start_sha256") != now["marks"].get("start_sha256"):
            raise ConfigError(
                f"{folder} was begun with other weights of {config.stages[name].start} than are there now:"
                f" remove {folder} to train {name} anew"
            )
        changed = _changes(before, now)
        if changed:
            note(f"goes on with other settings than it began with: {', '.join(changed)}")
    barrier()  # all have read it
    if rank() == 0:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(now, indent=1) + "\n")


SETTINGS = ("data", "model", "degradation", "video_share", "halve_videos", "seed", "precision")


def _plain(value) -> dict | str:
    if dataclasses.is_dataclass(value):
        return {"kind": type(value).__name__} | {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    return str(value)


def _changes(before, now, path: str = "") -> list[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [c for k in keys for c in _changes(before.get(k), now.get(k), f"{path}.{k}" if path else k)]
    return [] if before == now else [f"{path} {before} -> {now}"]


def _stills(stage: Stage, step: int) -> bool | None:
    """Whether a step sees images; None: by the odds of `image_share`."""
    return None if isinstance(stage, Autoencoding) else trains_first_frame(step)


def _losses(
    model: Model, stage: Stage, source: ClipSource, networks: dict[str, nn.Module], batch: Drawn
) -> Callable[[StepRandom, nn.Module], dict[str, Tensor]]:
    """The losses of a stage's kind."""
    picture = PictureLoss(getattr(stage, "picture", PictureWeights()), networks)

    def losses(random: StepRandom, ema: nn.Module) -> dict[str, Tensor]:
        if isinstance(stage, Diffusion):
            return diffusion_losses(model, ema, source, batch, stage.bootstrap, stage.noise, random, stage.forget)
        if isinstance(stage, Joint):
            return joint_losses(
                model, ema, source, picture, batch, stage.bootstrap, stage.noise, stage.mix, random, stage.forget
            )
        return autoencoding_losses(model, source, picture, batch, stage.dropout, stage.noise, random)

    return losses


def _networks(config: TrainConfig, stage: Stage, device: torch.device) -> dict[str, nn.Module]:
    """LPIPS and DISTS, without those whose weights are not there and that no loss needs."""
    files = {"lpips": [config.lpips], "dists": [config.vgg, config.dists]}
    build = {"lpips": lpips_alex, "dists": Dists}
    compiler = os.environ.get("CXX", "g++")  # what torch.compile will call
    if config.compile and device.type == "cpu" and not shutil.which(compiler):
        raise EnvironmentInvalid(
            f"compile=true needs a C++ compiler, and {compiler} is not here: install it or leave that out"
        )
    weights = getattr(stage, "picture", None)
    found = {}
    for name, paths in files.items():
        missing = [path for path in paths if not Path(path).is_file()]
        if not missing:
            with warnings.catch_warnings():  # the package lpips calls torchvision in its old way
                warnings.filterwarnings("ignore", module="torchvision")
                found[name] = build[name](*map(Path, paths)).to(device)
            if config.compile:
                found[name].compile(dynamic=False)
        elif weights is not None and getattr(weights, name) > 0:
            raise ConfigError(
                f"the loss of this stage has {name.upper()} in it, but {missing[0]} is no file: `python -m bench data"
                f" fetch` fetches it, or set the stage's picture.{name}=0"
            )
        else:
            note(f"no scores in {name.upper()}: {missing[0]} is no file")
    return found


def _validation(
    config: TrainConfig, stage: Stage, source: ClipSource, networks: dict[str, nn.Module], device: torch.device
) -> Validation:
    """Scores on the held-out clips; pictures of them, or of fixed crops of the training data where there are none."""
    data = [config.data] if isinstance(config.data, str) else config.data
    for clip in map(Path, config.validate):
        for root in map(Path, data):
            if clip.resolve().is_relative_to(root.resolve()):
                raise ConfigError(f"validate: {clip} lies in the training data {root}; a held-out clip must not")
    outputs = generator_outputs
    if isinstance(stage, Autoencoding):
        outputs = regression_outputs if stage.dropout >= 1 else autoencoder_outputs
    validation = Validation(
        config.validate, config.validate_frames, networks, outputs, config.degradation, config.seed, device
    )
    if not config.validate and rank() == 0:
        gt, lr = source.batch(StepRandom(config.seed, PICTURED_STEP).numpy, 4, 1)
        validation.pictured = {f"crop {i + 1}": (gt[i : i + 1], lr[i : i + 1]) for i in range(len(gt))}
    return validation
