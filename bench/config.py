"""Conversion of the command line to resolved configurations, one for each (data set, method, option) combination.

Hydra composes; this file adds what a comparison needs: several methods and data sets in one command, sweeps over
options (`method.steps=1,2,4`), options that only some of the methods have, and one-line errors with a suggestion.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench import assets, labels
from bench.file_options import expand_files, suffixes_of
from bench.groups import GROUPS, members, search_path
from bench.overrides import WRITTEN, Option, Value, literal, parse
from bench.paths import CONF
from bench.schema import validated
from frames.errors import UserError, did_you_mean, one_line
from frames.strict_yaml import read_mapping

SINGLE = {"metrics": "metrics=[psnr,ssim]", "save": "save=frames"}
"""Options that have one value for the whole run, and how to write it; sweeps over them are refused."""
_MAKES_DATA = ("data", "degradation", "protocol", "scale", "score_every")
"""Options that decide about LR frames, GT frames and scores; a sweep over them gives separate data sets."""


@dataclass(frozen=True)
class Combination:
    """One resolved configuration and the names it has in tables."""

    method: str  # label: the method's name, and the swept options where there are any: "turbovsr[steps=2]"
    data: str  # label: "vid4", "vid4[degradation=bd]"
    config: DictConfig
    config_dirs: tuple[str, ...] = ()  # folders with configurations of the user's own


def expand(overrides: list[str], config_dirs: tuple[str, ...] = ()) -> list[Combination]:
    """Expand overrides to all combinations, in the order given: data sets outermost, then methods, then options.

    Raises:
        UserError: an unknown key, group member or value, or a sweep of what cannot be swept; one line.
        EnvironmentInvalid: `device=cuda` without one.
    """
    given = parse(overrides)
    _check_repeats(given)
    options = {option.key: option.values for option in given}
    _check_sweeps(options)
    for group in GROUPS:
        _check_members(group, options.get(group, ()), config_dirs)
    data_names = options.pop("data", (Value("sample", "sample"),))
    method_names = options.pop("method", (Value("bicubic", "bicubic"),))
    found: dict[tuple[str, str], Combination] = {}
    known: set[str] = set(GROUPS)
    applied: set[str] = set()
    composed = lru_cache(maxsize=None)(lambda *words: _compose([*words], config_dirs))
    for data, method in itertools.product(data_names, method_names):
        chosen = [f"data={data.text}", f"method={method.text}"]
        bare = _with_all_keys(composed, chosen, options)
        keys = _keys(bare)
        known |= keys
        own = {k: v for k, v in options.items() if k in GROUPS or k in keys or k.startswith("+") or _is_item(bare, k)}
        applied |= own.keys()
        own |= {key: expand_files(key, own[key], ends) for key, ends in suffixes_of(bare).items() if key in own}
        swept = {key for key, values in own.items() if len(values) > 1}
        for choice in itertools.product(*own.values()):
            picked = dict(zip(own, choice, strict=True))
            config = validated(composed(*chosen, *(f"{key}={value.text}" for key, value in picked.items())))
            marks = {key: value.label for key, value in picked.items() if key in swept}
            method_label = _label(str(config.method.name), "method.", marks, _is_of_method)
            data_label = _label(str(config.data.name), "data.", marks, _makes_data)
            _add(found, Combination(method_label, data_label, config, config_dirs))
    for key in options.keys() - applied:
        raise UserError(f"unknown option '{key}'{did_you_mean(key, known)}")
    return list(found.values())


def compose(overrides: list[str], config_dirs: tuple[str, ...] = ()) -> DictConfig:
    """Compose the one configuration that the overrides name (see `expand`); UserError if there are several."""
    combinations = expand(overrides, config_dirs)
    if len(combinations) != 1:
        raise UserError(f"one data set and one method are needed here, not {len(combinations)} combinations")
    return combinations[0].config


def _with_all_keys(
    composed: Callable[..., DictConfig], chosen: list[str], options: dict[str, tuple[Value, ...]]
) -> DictConfig:
    """A configuration with all keys of a data set and a method.

    It is composed with the options that every method and data set has. Often no others are given, and the cache of
    `composed` then holds the final configuration already.
    """
    first = {key: f"{key}={values[0].text}" for key, values in options.items()}
    groups = [word for key, word in first.items() if key in GROUPS]
    common = [word for key, word in first.items() if not key.startswith(("data.", "method."))]
    try:
        return composed(*chosen, *common)
    except UserError:  # a wrong option, which is reported later with the keys that exist
        return composed(*chosen, *groups)


def _check_repeats(given: list[Option]) -> None:
    """Refuse `method=a method=b`, which means both to a reader; of an option's value the last one counts."""
    for key in ("method", "data"):
        values = [option.values for option in given if option.key == key]
        if len(values) > 1:
            names = ",".join(dict.fromkeys(value.text for each in values for value in each))
            raise UserError(f"{key}= is given {len(values)} times; write {key}={names}")


def _check_sweeps(options: dict[str, tuple[Value, ...]]) -> None:
    for key, values in options.items():
        name = key.lstrip("+").partition(".")[0]
        if len(values) > 1 and name in (*SINGLE, *WRITTEN):
            given, remedy = ",".join(value.label for value in values), SINGLE.get(name, f"{name}=DIR")
            raise UserError(f"{key}={given}: one for the whole run, it cannot be swept; write {remedy}")


def _check_members(group: str, names: tuple[Value, ...], config_dirs: tuple[str, ...]) -> None:
    """Check that names are members of a group, and that the user's own files among them can be read."""
    there = members(group, config_dirs)
    for _, name in names:
        if name not in there:
            raise UserError(f"unknown {group} '{name}'{did_you_mean(name, there)}")
        if not there[name].is_relative_to(CONF):
            read_mapping(there[name])


def _add(found: dict[tuple[str, str], Combination], new: Combination) -> None:
    """Add a combination unless it is there; UserError for a different one of the same name."""
    key = (new.data, new.method)
    known = found.setdefault(key, new)
    if known is not new and known.config != new.config:  # nan differs from itself
        raise UserError(
            f"two combinations are called {new.method} on {new.data}: give one another name (name: in its "
            "configuration, or method.name=NAME in a run of its own)"
        )


def _compose(overrides: list[str], config_dirs: tuple[str, ...]) -> DictConfig:
    _register_resolvers()
    if folders := search_path(config_dirs):
        paths = ",".join(literal(f"file://{folder.resolve()}") for folder in folders)
        overrides = [*overrides, f"hydra.searchpath=[{paths}]"]
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return hydra_compose("run", overrides=overrides)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, RecursionError, ValueError) as error:
        raise UserError(one_line(error.__cause__ or error)) from error


def _keys(config: DictConfig) -> set[str]:
    """All keys of a composed configuration, dotted."""
    found = set()
    for key in map(str, config):
        node = config._get_node(key)
        found.add(key)
        if isinstance(node, DictConfig) and not node._is_none():
            found |= {f"{key}.{inner}" for inner in _keys(node)}
    return found


def _is_item(config: DictConfig, key: str) -> bool:
    """Whether the key is an index into a list that exists (`metrics.0=ssim`)."""
    return key.rpartition(".")[2].isdigit() and OmegaConf.is_list(
        OmegaConf.select(config, key.rpartition(".")[0], throw_on_resolution_failure=False)
    )


def _makes_data(key: str) -> bool:
    return key.lstrip("+").partition(".")[0] in _MAKES_DATA


def _is_of_method(key: str) -> bool:
    return not _makes_data(key)


def _label(name: str, prefix: str, marks: dict[str, str], counts: Callable[[str], bool]) -> str:
    shown = {key.lstrip("+").removeprefix(prefix): value for key, value in marks.items() if counts(key)}
    return labels.label(name, shown)


def _register_resolvers() -> None:
    OmegaConf.register_new_resolver("asset", _asset, replace=True)


def _asset(name: str) -> str:
    """An asset's path, relative where it lies in the current folder, so that records name no machine's paths."""
    file = assets.path(name)
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)
