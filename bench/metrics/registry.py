"""Metrics by name, as the files of `conf/metric/` define them."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cache
from typing import Any, cast

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.groups import members
from bench.metrics.base import ClipMetric, FrameMetric, Kind, Metric
from bench.metrics.kinds import overridden_kind
from bench.metrics.of_gt import of_gt
from bench.metrics.protocol import RGB, Protocol
from bench.metrics.reserved import names_a_time
from bench.metrics.unavailable import NotAtHand, Unavailable
from bench.targets import maker
from frames.errors import UserError, did_you_mean, one_line

_PROTOCOL = "${protocol}"
OPTIONS = "options_of_file"
"""The attribute of a metric with the resolved options of its file, which stored scores depend on."""


@cache
def build(
    name: str, protocol: Protocol = RGB, *, scale: int = 4, device: str = "cpu", config_dirs: tuple[str, ...] = ()
) -> Metric:
    """A metric by name; built once for equal arguments.

    Args:
        name: a member of the config group `metric`; "pyiqa/NAME" fills in the option that its file leaves open (???).
        protocol: what `${protocol}` stands for; its frames are in every metric's signature.
        scale: what `${scale}` stands for: from LR to SR.
        device: what `${device}` stands for: where networks run.
        config_dirs: folders whose `metric/*.yaml` count as well.
    Raises:
        UserError: an unknown name, a file that does not define a metric, or missing weights or programs.
    """
    check_name(name, config_dirs)
    family = name.partition("/")[0]
    if is_suite(name, config_dirs):
        raise UserError(f"metric {name}: several metrics; name one of {', '.join(_members(name, config_dirs))}")
    options = _options(name, {"scale": scale, "device": device}, config_dirs)
    if "of_gt" in options:
        of = options["of_gt"]
        check_name(of, config_dirs)
        if "of_gt" in _file(of.partition("/")[0], config_dirs):
            raise UserError(f"metric {name}: of_gt names {of}, which is GT's own value itself")
        metric = of_gt(build(of, protocol, scale=scale, device=device, config_dirs=config_dirs))
    else:
        metric = _instance(family, options, protocol)
    if not isinstance(metric, (FrameMetric, ClipMetric)) or not isinstance(metric.kind, Kind):
        raise UserError(
            f"metric {name}: {type(metric).__name__} is no metric: it needs kind, signature, "
            "and score(sr, gt) or begin()"
        )
    kind = overridden_kind(name, metric.kind, options.get("kind", {}))
    metric = _with(name, _with(name, metric, "kind", kind), "signature", protocol.signed(metric.signature))
    return _with(name, metric, OPTIONS, options)


def _with(name: str, metric: Metric, attribute: str, value: Any) -> Metric:
    """The metric with an attribute set; if its value changes, a copy that shares the networks."""
    if getattr(metric, attribute, None) == value:
        return metric
    metric = copy.copy(metric)
    try:
        object.__setattr__(metric, attribute, value)
    except AttributeError as error:
        raise UserError(f"metric {name}: {attribute} must be a plain attribute of {type(metric).__name__}") from error
    return metric


def chosen(names: Iterable[str], protocol: Protocol, **options: Any) -> dict[str, Metric]:
    """Build metrics by name; a suite such as `no-reference` stands for its members.

    A member of a suite that cannot be built is an `Unavailable`, and so is a metric whose weights cannot be fetched
    now.

    Args:
        options: as for `build`.
    Raises:
        UserError: as `build`, for metrics that are named themselves; or no metric's weights can be fetched.
    """
    found: dict[str, Metric] = {}
    refused: list[NotAtHand] = []
    for name in names:
        check_name(name, options.get("config_dirs", ()))
        for member in _members(name, options.get("config_dirs", ())):
            try:
                found.setdefault(member, build(member, protocol, **options))
            except UserError as error:
                if member == name:
                    if not isinstance(error, NotAtHand):
                        raise
                    refused.append(error)
                found[member] = Unavailable(member, str(error).removeprefix(f"metric {member}: "))
    if refused and len(refused) == len(found):
        raise refused[0]
    return found


def is_suite(name: str, config_dirs: tuple[str, ...] = ()) -> bool:
    """Whether a name stands for several metrics."""
    return _members(name, config_dirs) != [name]


def _members(name: str, config_dirs: tuple[str, ...]) -> list[str]:
    """The names of a suite's members; a metric's own name."""
    return list(_file(name.partition("/")[0], config_dirs).get("members", [name]))


def check_name(name: str, config_dirs: tuple[str, ...] = ()) -> None:
    """Raise UserError unless there is a metric of this name, and no time; it is not built."""
    family, slash, variant = name.partition("/")
    known = members("metric", config_dirs)
    if family not in known or (slash and not variant):
        raise UserError(f"unknown metric '{name}'{did_you_mean(name, known)}")
    if names_a_time(name):
        raise UserError(f"metric {name}: {known[family]}: reports have a time of this name; rename the file")
    open_options = [key for key, value in _file(family, config_dirs).items() if value == "???"]
    if len(open_options) != bool(slash):
        raise UserError(f"metric {name}: write {family}" + (f"/{open_options[0].upper()}" if open_options else ""))


def _options(name: str, words: dict[str, Any], config_dirs: tuple[str, ...]) -> dict[str, Any]:
    """The resolved options of a metric's file, with the protocol still to be filled in."""
    family, _, variant = name.partition("/")
    options = {key: variant if value == "???" else value for key, value in _file(family, config_dirs).items()}
    kept = {key: value for key, value in options.items() if value != _PROTOCOL}
    try:
        config = OmegaConf.create({**words, "options": kept})
        resolved = cast(dict[str, Any], OmegaConf.to_container(config.options, resolve=True))
    except OmegaConfBaseException as error:
        raise UserError(f"metric {name}: {one_line(error.__cause__ or error)}") from error
    return {**options, **resolved}


@cache
def _file(family: str, config_dirs: tuple[str, ...]) -> dict[str, Any]:
    file = members("metric", config_dirs)[family]
    try:
        found = OmegaConf.to_container(OmegaConf.load(file))
    except (OmegaConfBaseException, yaml.YAMLError, OSError, ValueError) as error:
        raise UserError(f"{file}: {one_line(error)}") from error
    if isinstance(found, dict) and isinstance(found.get("members"), list):
        return cast(dict[str, Any], found)
    if not isinstance(found, dict) or not isinstance(found.get("of_gt", found.get("_target_")), str):
        raise UserError(f"{file}: no metric; it needs _target_, the class or function that makes one")
    return cast(dict[str, Any], found)


def _instance(family: str, options: dict[str, Any], protocol: Protocol) -> Any:
    arguments = {key: value for key, value in options.items() if key != "kind"}
    try:
        make = maker({key: protocol if value == _PROTOCOL else value for key, value in arguments.items()})
    except UserError as error:
        raise UserError(f"metric {family}: {error}") from error
    try:
        return make()
    except TypeError as error:
        raise UserError(f"metric {family}: {options['_target_']}: {one_line(error)}") from error
