"""What a run will do: the combinations of a command, opened, so that mistakes show before any work."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.config import Combination
from bench.datasets.clip import Clip, Dataset
from bench.metrics import protocol as protocols
from bench.metrics import registry
from bench.metrics.base import Metric
from bench.timing.measure import Limits
from frames.errors import UserError, one_line

_NOT_ARGUMENTS = ("name", "summary", "_lookup")


@dataclass(frozen=True)
class Column:
    """One method on one data set: a column of cells."""

    data: str
    method: str
    config: DictConfig
    dataset: Dataset
    clips: list[Clip]
    protocol: protocols.Protocol
    metrics: dict[str, Metric]
    method_config: dict[str, Any]  # what the method is built from
    data_config: dict[str, Any]  # what the clips are made by: the set's options, degradation, scale, protocol

    @property
    def limits(self) -> Limits:
        timing = self.config.timing
        return Limits(timing.warmup, timing.repeats, timing.budget_s, timing.limit_s)


def open_plan(combinations: list[Combination]) -> list[Column]:
    """Open the data sets (once each) and build the metrics.

    Raises:
        UserError, ValueError, FileNotFoundError: one line: what is missing and the remedy.
    """
    datasets: dict[str, tuple[Dataset, list[Clip]]] = {}
    for each in combinations:
        if each.data not in datasets:
            dataset = _open_dataset(each.config)
            datasets[each.data] = dataset, dataset.clips()
    return [_column(each, *datasets[each.data]) for each in combinations]


def build(arguments: dict[str, Any]) -> Any:
    """The object that a configuration's `_target_` names; errors come through as they were raised."""
    module, _, attribute = arguments["_target_"].rpartition(".")
    try:
        target = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UserError(f"_target_ {arguments['_target_']} cannot be imported: {one_line(error)}") from error
    return target(**{key: value for key, value in arguments.items() if key != "_target_"})


def _column(combination: Combination, dataset: Dataset, clips: list[Clip]) -> Column:
    config = combination.config
    protocol = protocols.parse(OmegaConf.to_container(config.protocol, resolve=True), config.scale)
    chosen = {
        name: registry.build(name, protocol, device=config.device, config_dirs=combination.config_dirs)
        for name in config.metrics
    }
    try:
        method = OmegaConf.to_container(config.method, resolve=True)
    except OmegaConfBaseException as error:
        raise UserError(f"method {combination.method}: {one_line(error.__cause__ or error)}") from error
    method = {key: value for key, value in method.items() if key not in _NOT_ARGUMENTS}
    missing = [key for key, value in method.items() if value == "???"]
    if missing:
        raise UserError(f"method {combination.method} needs method.{missing[0]}=VALUE (python -m bench list says more)")
    data = OmegaConf.to_container(config.data, resolve=True)
    data |= {"degradation": config.degradation.name, "scale": config.scale, "protocol": config.protocol.name}
    return Column(combination.data, combination.method, config, dataset, clips, protocol, chosen, method, data)


def _open_dataset(config: DictConfig) -> Dataset:
    degradation = build(OmegaConf.to_container(config.degradation, resolve=True))
    arguments = OmegaConf.to_container(config.data, resolve=True)
    arguments.pop("summary", None)
    return build({**arguments, "degradation": degradation, "scale": config.scale})
