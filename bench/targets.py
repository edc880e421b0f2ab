"""Objects that a configuration names by `_target_`, of this installation only (docs/threat-model.md)."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from frames.errors import UserError, did_you_mean, one_line

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from bench.datasets.clip import Dataset


def build(arguments: Mapping[str, Any]) -> Any:
    """Build the object that a configuration's `_target_` names, with the other keys except `summary` as arguments.

    Raises:
        UserError: the name cannot be imported, or it does not take such arguments. Errors of the constructor are raised
            unchanged.
    """
    return maker(arguments)()


def maker(arguments: Mapping[str, Any]) -> Callable[[], Any]:
    """A function without arguments that builds what `build` returns; raises `UserError` as `build`."""
    options = {key: value for key, value in arguments.items() if key not in ("_target_", "summary")}
    made_by = named(arguments)
    try:
        taken = inspect.signature(made_by).parameters.values()
    except ValueError:  # compiled classes may not say what they take
        return partial(made_by, **options)
    names = [each.name for each in taken if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
    if all(each.kind is not each.VAR_KEYWORD for each in taken):
        for key in options:
            if key not in names:
                raise UserError(f"{arguments['_target_']} has no option '{key}'{did_you_mean(key, names)}")
    for each in taken:
        if each.name in names and each.default is each.empty and each.name not in options:
            raise UserError(f"{arguments['_target_']} needs the option '{each.name}'")
    return partial(made_by, **options)


def named(arguments: Mapping[str, Any]) -> Callable[..., Any]:
    """The class or function that a configuration's `_target_` names. Raises `UserError` if it cannot be imported."""
    module, _, attribute = str(arguments.get("_target_", "")).rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"_target_ {arguments.get('_target_')} cannot be imported: {one_line(error)}") from error


def build_dataset(data: Mapping[str, Any], degradation: Mapping[str, Any], scale: int) -> Dataset:
    """Build a data set; the degradation makes its LR frames where it has none."""
    from frames.degradations import Seeded  # OpenCV, PyAV

    made_by = build(degradation)
    if isinstance(made_by, Seeded):
        made_by = made_by.of_set(str(data["name"]))
    return build({**data, "degradation": made_by, "scale": scale})


def open_dataset(config: DictConfig) -> Dataset:
    """Build the data set of a composed configuration."""
    from omegaconf import OmegaConf

    data, degradation = (
        cast(dict[str, Any], OmegaConf.to_container(node, resolve=True)) for node in (config.data, config.degradation)
    )
    return build_dataset(data, degradation, config.scale)
