"""The plan of a run: the combinations of a command, opened first so that mistakes show before any work."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.config import Combination
from bench.datasets.clip import Clip, Dataset
from bench.methods.settings import restored
from bench.metrics import protocol as protocols
from bench.metrics import registry
from bench.metrics.base import Metric
from bench.metrics.signature import short
from bench.metrics.unavailable import Unavailable
from bench.run.frame_scores import recipe_of
from bench.schema import reason_of
from bench.store.keys import combined
from bench.targets import open_dataset
from bench.timing.measure import Limits
from frames.errors import UserError

_NOT_ARGUMENTS = ("name", "summary", "_lookup", "_files", "trained_on")


@dataclass(frozen=True)
class MethodOnData:
    """One method on one data set under one set of options: as many cells as the data set has clips."""

    data: str
    method: str
    config: DictConfig
    dataset: Dataset
    clips: list[Clip]
    expected: int  # clips of the set, or as many as data.clips names
    protocol: protocols.Protocol
    metrics: dict[str, Metric]
    method_config: dict[str, Any]  # what the method is built from
    data_config: dict[str, Any]  # what clips and scores depend on: the set's options, degradation, scale, protocol
    trained_on: tuple[str, ...] = ()  # metrics that the method's weights were trained on

    @property
    def is_timed(self) -> bool:
        """Whether times are wanted."""
        return self.config.timing.timed

    @property
    def limits(self) -> Limits:
        timing = self.config.timing
        if not self.is_timed:
            return Limits(0, 1, 0.0, timing.limit_s)
        return Limits(timing.warmup, timing.repeats, timing.budget_s, timing.limit_s)


def open_plan(combinations: list[Combination], networks_on: str | None = None) -> list[MethodOnData]:
    """Open the data sets (once for equal options) and build the metrics.

    Args:
        networks_on: device of the metrics' networks; None: that of each combination.
    Raises:
        UserError, ValueError, FileNotFoundError: one line on what is missing, with the remedy.
    """
    opened: dict[str, tuple[Dataset, list[Clip], int]] = {}
    plan = []
    with restored():
        for combination in combinations:
            key = combined(data_config(combination.config), OmegaConf.to_container(combination.config.degradation))
            if key not in opened:
                dataset = open_dataset(combination.config)
                opened[key] = dataset, dataset.clips(), len(dataset.expected)
            plan.append(_planned(combination, *opened[key], networks_on or combination.config.device))
    _tell_unavailable(plan)
    return plan


def _tell_unavailable(plan: list[MethodOnData]) -> None:
    """Print a line on stderr for each reason why metrics are not available."""
    lacking: dict[str, dict[str, None]] = {}
    for each in plan:
        for name, metric in each.metrics.items():
            if isinstance(metric, Unavailable):
                lacking.setdefault(metric.unavailable, {})[name] = None
    for reason, names in lacking.items():
        print(f"bench: {', '.join(names)}: {reason}", file=sys.stderr)


def data_config(config: DictConfig) -> dict[str, Any]:
    """The options that clips and scores of a data set depend on, as records keep them."""
    options = OmegaConf.to_container(config.data, resolve=True)
    assert isinstance(options, dict)
    made_by = {"degradation": config.degradation.name, "scale": config.scale, "protocol": config.protocol.name}
    made_by |= {"score_every": config.score_every} if config.score_every > 1 else {}
    degradation = OmegaConf.to_container(config.degradation, resolve=True)
    assert isinstance(degradation, dict)
    facts = ("_target_", "name", "summary", "scale")
    details = {str(key): value for key, value in degradation.items() if key not in facts}
    own = {str(key): value for key, value in options.items()}
    return own | made_by | ({"degradation_options": details} if details else {})


def _planned(
    combination: Combination, dataset: Dataset, clips: list[Clip], expected: int, networks_on: str
) -> MethodOnData:
    config = combination.config
    preset = protocols.parse(cast(dict, OmegaConf.to_container(config.protocol, resolve=True)), config.scale)
    protocol = protocols.thinned(preset, config.score_every)
    chosen = registry.chosen(
        config.metrics, protocol, scale=config.scale, device=networks_on, config_dirs=combination.config_dirs
    )
    _check_titles(chosen)
    return MethodOnData(
        data=combination.data,
        method=combination.method,
        config=config,
        dataset=dataset,
        clips=clips,
        expected=expected,
        protocol=protocol,
        metrics=chosen,
        method_config=method_config(combination),
        data_config=data_config(config),
        trained_on=_trained_on(combination),
    )


def _check_titles(metrics: dict[str, Metric]) -> None:
    """Raise UserError if two metrics of unlike recipes would have one title in tables and plots."""
    recipes = {name: recipe_of(metric) for name, metric in metrics.items()}  # with the sources as they are imported now
    first: dict[str, str] = {}
    for name, metric in metrics.items():
        other = first.setdefault(short(metric.kind.title, metric.signature), name)
        if recipes[other] != recipes[name]:
            raise UserError(
                f"metrics {other} and {name} have one title, {metric.kind.title}, in tables; give one of them a title "
                "of its own in its file, kind: {title: ...}"
            )


def method_config(combination: Combination) -> dict[str, Any]:
    """The resolved options that a method is built from, with its class under `_target_`.

    Raises:
        UserError: an option cannot be resolved or must be given, or no class is named.
    """
    try:
        options = OmegaConf.to_container(combination.config.method, resolve=True)
    except OmegaConfBaseException as error:
        raise UserError(f"method {combination.method}: {reason_of(error)}") from error
    assert isinstance(options, dict)
    found = {str(key): value for key, value in options.items() if key not in _NOT_ARGUMENTS}
    for key, value in found.items():
        if value == "???":
            raise UserError(f"method {combination.method} needs method.{key}=VALUE (python -m bench list says more)")
    if not isinstance(found.get("_target_"), str):
        raise UserError(f"method {combination.method}: its configuration names no class (_target_: package.Class)")
    return found


def _trained_on(combination: Combination) -> tuple[str, ...]:
    """The metrics that a method's configuration says its weights were trained on.

    Raises:
        UserError: it is no list of known metrics.
    """
    names = combination.config.method.get("trained_on") or ()
    if isinstance(names, str):
        raise UserError(f"method {combination.method}: trained_on={names}; write a list, trained_on: [{names}]")
    for name in names:
        registry.check_name(str(name), combination.config_dirs)
    return tuple(map(str, names))
