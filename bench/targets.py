"""Objects that a configuration names by `_target_`, of this installation only (docs/threat-model.md)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from frames.errors import UserError, one_line

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from bench.datasets.clip import Dataset


def build(arguments: Mapping[str, Any]) -> Any:
    """Build the object that a configuration's `_target_` names, with the other keys as arguments.

    Raises:
        UserError: the name cannot be imported. Errors of the constructor are raised unchanged.
    """
    return named(arguments)(**{key: value for key, value in arguments.items() if key != "_target_"})


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

    options = {key: value for key, value in data.items() if key != "summary"}
    made_by = build(degradation)
    if isinstance(made_by, Seeded):
        made_by = made_by.of_set(str(data["name"]))
    return build({**options, "degradation": made_by, "scale": scale})


def open_dataset(config: DictConfig) -> Dataset:
    """Build the data set of a composed configuration."""
    from omegaconf import OmegaConf

    data, degradation = (
        cast(dict[str, Any], OmegaConf.to_container(node, resolve=True)) for node in (config.data, config.degradation)
    )
    return build_dataset(data, degradation, config.scale)
