"""The root configuration of a run: its options with their types and bounds. A wrong value is a one-line error."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from typing import Any, cast

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.overrides import PATHS
from bench.paths import default_store
from frames.errors import EnvironmentInvalid, UserError, did_you_mean

SAVES = ("none", "frames", "video")
SCOPES = ("tensors", "files")
MOST_THREADS = max(64, 4 * (os.cpu_count() or 1))
"""Limit of `threads`: more of them measure nothing useful, and thousands end the process."""


@dataclass
class Timing:
    """Schema of the timing group."""

    warmup: int = 1
    repeats: int = 3
    budget_s: float = 30.0
    limit_s: float | None = None
    interleave: bool = True
    timed: bool = True
    solo: bool = False
    scopes: list[str] = field(default_factory=lambda: ["tensors"])


@dataclass
class Root:
    """Schema of the root configuration."""

    method: Any = None
    data: Any = None
    degradation: Any = None
    protocol: Any = None
    timing: Timing = field(default_factory=Timing)
    scale: int = 4
    score_every: int = 1
    device: str = "auto"
    metrics: list[str] = field(default_factory=list)
    save: str = "none"
    out: str | None = None
    store: str | None = None
    threads: int | None = None


def validated(config: DictConfig) -> DictConfig:
    """Check types and bounds of a composed configuration, and decide `device=auto`.

    Raises:
        UserError: a value of a wrong type or out of bounds; the line names the option.
        EnvironmentInvalid: a CUDA device that is not here.
    """
    try:
        config = cast(DictConfig, OmegaConf.merge(OmegaConf.structured(Root), config))
    except OmegaConfBaseException as error:
        raise _of_option(error) from error
    _check_interpolations(config)
    config.device = _device(config.device)
    if config.store == "":  # an empty BENCH_STORE
        config.store = str(default_store())
    _known("save", config.save, SAVES)
    for scope in config.timing.scopes:
        _known("timing.scopes", scope, SCOPES)
    _at_least(1, scale=config.scale, score_every=config.score_every)
    _at_least(1, **{"timing.repeats": config.timing.repeats})
    _at_least(0, **{"timing.warmup": config.timing.warmup, "timing.budget_s": config.timing.budget_s})
    if config.timing.limit_s is not None and not 0 < config.timing.limit_s < math.inf:
        raise UserError(f"timing.limit_s={config.timing.limit_s:g}: write a number of seconds above 0, or null")
    if not config.timing.scopes:
        raise UserError(f"timing.scopes=[]: name at least one of {', '.join(SCOPES)}")
    if config.threads is not None and not 1 <= config.threads <= MOST_THREADS:
        raise UserError(f"threads={config.threads}: choose 1 to {MOST_THREADS} (there are {os.cpu_count()} cores here)")
    _check_clips(config.data)
    for group in ("data", "method"):
        if "name" in config[group] and not str(config[group].name or "").strip():
            raise UserError(f"{group}.name=: give it a name, by which tables and files call it")
    _check_paths("data", config.data)
    _check_paths("method", config.method)
    return config


def _check_interpolations(config: DictConfig) -> None:
    """Check that every `${...}` has a value; of a method only the name, as the run's plan resolves the rest."""
    groups = {key: isinstance(config._get_node(key), DictConfig) for key in map(str, config)}
    for key in sorted(groups, key=lambda key: groups[key]):  # groups last: they refer to the others
        try:
            value = OmegaConf.select(config, "method.name") if key == "method" else config[key]
            if OmegaConf.is_config(value):
                OmegaConf.to_container(value, resolve=True)
        except (OmegaConfBaseException, RecursionError) as error:
            raise _of_option(error, key) from error


def _of_option(error: Exception, key: str = "") -> UserError:
    """OmegaConf's error on an option as one line; `key` is the option where the error names none."""
    return UserError(f"option '{getattr(error, 'full_key', None) or key}': {reason_of(error)}")


def reason_of(error: Exception) -> str:
    """The reason in OmegaConf's error, without what it says of its own work around it."""
    message = str(error).splitlines()[0]
    return message.partition(" raised while resolving interpolation: ")[2].strip("'\"") or message


def _device(name: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", name):
        raise UserError(f"device={name}: write auto, cpu, cuda or cuda:N")
    if name == "cpu":
        return name
    import torch  # seconds: only where it is asked

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda" if count else "cpu"
    if not count:
        raise EnvironmentInvalid(f"device={name}: torch {torch.__version__} sees no CUDA device here; use device=cpu")
    if int(name.partition(":")[2] or 0) >= count:
        raise EnvironmentInvalid(f"device={name}: there are {count} CUDA devices here, counted from 0")
    return name


def _known(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UserError(f"{key}={value}: unknown{did_you_mean(value, known)}")


def _at_least(least: int, **options: float) -> None:
    for key, value in options.items():
        if not least <= value < math.inf:
            raise UserError(f"{key}={value:g}: at least {least} is needed")


def _check_paths(group: str, options: DictConfig) -> None:
    """Refuse numbers as values of options that are paths."""
    plain = cast(dict[str, Any], OmegaConf.to_container(options))
    for key in PATHS:
        given = plain.get(key)
        if isinstance(given, (int, float)):
            raise UserError(f"{group}.{key}={given}: give a path (one that reads as a number is written in quotes)")


def _check_clips(data: DictConfig) -> None:
    """Check `frames` and `clips`, options of every data set."""
    frames, clips = data.get("frames"), data.get("clips")
    if frames is not None and (not isinstance(frames, int) or isinstance(frames, bool) or frames < 1):
        raise UserError(f"data.frames={frames}: write a whole number of at least 1, or null for all")
    if clips is not None and not isinstance(clips, ListConfig):
        raise UserError(f"data.clips={clips}: write a list of names, such as data.clips=[{clips}]")
