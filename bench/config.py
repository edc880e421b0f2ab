"""From the words on the command line to resolved configurations, one for each (data set, method, option) combination.

Hydra composes; this file adds what a comparison needs: several methods and data sets in one command, sweeps over
options (`method.steps=1,2,4`), options that only some of the methods have, and one-line errors with a suggestion.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench import assets
from bench.groups import GROUPS, members, search_path
from bench.paths import CONF
from frames.errors import EnvironmentInvalid, UserError, did_you_mean, one_line


@dataclass
class Timing:
    """Schema of the timing group."""

    warmup: int = 1
    repeats: int = 3
    budget_s: float = 30.0
    limit_s: float | None = None
    interleave: bool = True
    scopes: list[str] = field(default_factory=lambda: ["tensors"])


@dataclass
class Root:
    """Schema of the root configuration: a wrong type is an error, not a surprise later."""

    method: Any = None
    data: Any = None
    degradation: Any = None
    protocol: Any = None
    timing: Timing = field(default_factory=Timing)
    scale: int = 4
    device: str = "auto"
    metrics: list[str] = field(default_factory=list)
    save: str = "none"
    out: str | None = None
    store: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class Combination:
    """One resolved configuration and the names it has in tables."""

    method: str  # label: the method's name, and the swept options where there are any: "turbovsr[steps=2]"
    data: str
    config: DictConfig
    config_dirs: tuple[str, ...] = ()  # where metrics of the user's own are


def expand(overrides: list[str], config_dirs: tuple[str, ...] = ()) -> list[Combination]:
    """All combinations that the overrides name, in the order given: data sets outermost, then methods, then options.

    Raises:
        UserError: an unknown key, group member or value, in one line with a suggestion.
        EnvironmentInvalid: `device=cuda` without one.
    """
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        raise UserError(f"cannot read the options: {one_line(error).split(' See ')[0]}") from error
    values = {}
    for item in parsed:
        if not item.key_or_group:
            raise UserError(f"cannot read the options: '{item.input_line}' has no key; write KEY=VALUE")
        texts = list(item.sweep_string_iterator()) if item.is_sweep_override() else [_value_text(item.input_line)]
        values[item.input_line.split("=", 1)[0]] = texts
    data_names, method_names = values.pop("data", ["sample"]), values.pop("method", ["bicubic"])
    for name, group in [(n, "data") for n in data_names] + [(n, "method") for n in method_names]:
        _check_member(group, name, config_dirs)
    swept = {key for key, texts in values.items() if len(texts) > 1}
    found: dict[tuple[str, str], Combination] = {}
    known_keys: set[str] = set()
    applied: set[str] = set()
    for data, method in itertools.product(data_names, method_names):
        groups = {key: texts for key, texts in values.items() if key.lstrip("+~") in GROUPS}
        for key, texts in groups.items():
            for text in texts:
                _check_member(key, text, config_dirs)
        bare = _compose([f"data={data}", f"method={method}"] + [f"{k}={t[0]}" for k, t in groups.items()], config_dirs)
        keys = _keys(bare)
        known_keys |= keys
        added = {key for key in values if key[0] in "+~"}  # Hydra's own signs for adding and deleting a key
        own = {k: t for k, t in values.items() if k in groups or k in keys or k in added or _is_item(bare, k)}
        applied |= own.keys()
        for choice in itertools.product(*own.values()):
            options = dict(zip(own, choice))
            lines = [f"{key}={text}" if text is not None else key for key, text in options.items()]
            config = _validated(_compose([f"data={data}", f"method={method}", *lines], config_dirs))
            label = _label(str(config.method.name), "method.", options, swept)
            data_label = _label(str(config.data.name), "data.", options, swept)
            found.setdefault((data_label, label), Combination(label, data_label, config, config_dirs))
    for key in values.keys() - applied:
        raise UserError(f"unknown option '{key}'{did_you_mean(key, known_keys | set(GROUPS))}")
    return list(found.values())


def compose(overrides: list[str], config_dirs: tuple[str, ...] = ()) -> DictConfig:
    """The one configuration that the overrides name (see `expand`)."""
    combinations = expand(overrides, config_dirs)
    if len(combinations) != 1:
        raise UserError(f"one data set and one method are needed here, not {len(combinations)} combinations")
    return combinations[0].config


def _compose(overrides: list[str], config_dirs: tuple[str, ...]) -> DictConfig:
    _register_resolvers()
    if folders := search_path(config_dirs):
        paths = ",".join(f"file://{folder.resolve()}" for folder in folders)
        overrides = [*overrides, f"hydra.searchpath=[{paths}]"]
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return hydra_compose("run", overrides=overrides)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(one_line(error.__cause__ or error)) from error


def _validated(config: DictConfig) -> DictConfig:
    try:
        config = OmegaConf.merge(OmegaConf.structured(Root), config)
    except OmegaConfBaseException as error:
        raise UserError(f"option '{error.full_key}': {str(error).splitlines()[0]}") from error
    if config.device == "auto":
        config.device = "cuda" if torch.cuda.is_available() else "cpu"
    if config.device.startswith("cuda") and not torch.cuda.is_available():
        raise EnvironmentInvalid(f"device={config.device}: torch {torch.__version__} sees no CUDA device here")
    if config.save not in ("none", "frames", "video"):
        raise UserError(f"save={config.save}: unknown{did_you_mean(config.save, ('none', 'frames', 'video'))}")
    if config.scale < 1 or config.timing.repeats < 1 or config.timing.warmup < 0:
        raise UserError("scale and timing.repeats must be at least 1, timing.warmup at least 0")
    for scope in config.timing.scopes:
        if scope not in ("tensors", "files"):
            raise UserError(f"timing.scopes: unknown '{scope}'{did_you_mean(scope, ('tensors', 'files'))}")
    return config


def _check_member(group: str, name: str, config_dirs: tuple[str, ...]) -> None:
    if name not in members(group, config_dirs):
        raise UserError(f"unknown {group} '{name}'{did_you_mean(name, members(group, config_dirs))}")


def _keys(config: DictConfig) -> set[str]:
    """All keys of a composed configuration, dotted."""
    found = set()
    for key in config:
        node = config._get_node(key)
        found.add(str(key))
        if isinstance(node, DictConfig) and not node._is_none():
            found |= {f"{key}.{inner}" for inner in _keys(node)}
    return found


def _is_item(config: DictConfig, key: str) -> bool:
    """Whether the key is an index into a list that exists (`metrics.0=ssim`)."""
    return key.rpartition(".")[2].isdigit() and OmegaConf.is_list(OmegaConf.select(config, key.rpartition(".")[0]))


def _value_text(line: str) -> str | None:
    return line.split("=", 1)[1] if "=" in line else None


def _label(name: str, prefix: str, options: dict[str, str], swept: set[str]) -> str:
    marks = [
        f"{key.removeprefix(prefix)}={text}"
        for key, text in options.items()
        if key in swept and (key.startswith(prefix) or (prefix == "method." and not key.startswith("data.")))
    ]
    return f"{name}[{','.join(marks)}]" if marks else name


def _register_resolvers() -> None:
    OmegaConf.register_new_resolver("asset", _asset, replace=True)


def _asset(name: str) -> str:
    """An asset's path, relative where it lies under the current folder: records then name no machine's paths."""
    file = assets.path(name)
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)
