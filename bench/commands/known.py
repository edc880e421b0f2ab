"""Safe opening of the clips and frames that a record names, through configs of this installation only.

A run folder may come from anywhere. Its records name data sets, degradations and methods, with options; none of these
names is ever imported. A data set or degradation is looked up among the config files of this installation (`conf/`,
installed packages, `--config-dir`) and built from that file. The record's options are used where the file, or what
it builds, has such an option and the value is plain. Of methods, only frames made elsewhere can be read again.
"""

from __future__ import annotations

import inspect
from typing import Any

from bench.datasets.clip import Dataset
from bench.datasets.sources import first_frames
from bench.groups import members
from bench.labels import parts
from bench.methods.alignment import START
from bench.methods.contract import FrameSource
from bench.methods.precomputed import Precomputed
from bench.store.record import GIVEN, Record
from bench.targets import build_dataset, named
from frames.errors import UserError, did_you_mean
from frames.strict_yaml import read_mapping

_NOT_OPTIONS = ("_target_", "defaults", "summary")
_OF_THE_RUN = ("summary", "degradation", "degradation_options", "scale", "protocol", "score_every")
"""Keys of a record's data configuration that are not options of the data set."""


def open_dataset(record: Record, degradation: dict[str, Any], config_dirs: tuple[str, ...] = ()) -> Dataset:
    """The data set of a record, with the options that it was measured with.

    Args:
        degradation: options of the record's degradation, beyond its name; those of the run's config.yaml.
        config_dirs: folders with configs of the user's own, which are trusted.
    Raises:
        UserError: the data set, the degradation or an option is not known here.
        ValueError, OSError: its config file cannot be read.
    """
    given = record.data_config
    own = _member("data", given.get("_target_"), parts(record.data)[0], config_dirs)
    options = {key: value for key, value in given.items() if key not in ("_target_", *_OF_THE_RUN)}
    arguments = _arguments(own, options, "data set")
    name = str(given.get("degradation"))
    made_by = _member("degradation", None, name, config_dirs)
    kept = {key: value for key, value in degradation.items() if key not in _NOT_OPTIONS}
    settings = _arguments(made_by, kept | {"scale": record.scale}, "degradation")
    return build_dataset(arguments, settings, record.scale)


def given_frames(record: Record) -> FrameSource | None:
    """The frames of a record that another program made; None if the method made them itself.

    Raises:
        UserError, ValueError, FileNotFoundError: the frames are not where the record says.
    """
    if record.timing_reason != GIVEN:
        return None
    root = record.method_config.get("root")
    if not isinstance(root, str):
        raise UserError("the record does not say where the frames are (method.root)")
    source = Precomputed(root, record.method, record.scale).source(record.clip, alone=True)
    return first_frames(source, record.frames) if record.method_config.get("align") == START else source


def _member(group: str, target: Any, name: str, config_dirs: tuple[str, ...]) -> dict[str, Any]:
    """The content of this installation's config of that name.

    A config with the same `_target_`, compared as text, goes before one of that name with another.

    Raises:
        UserError: there is none.
        ValueError, OSError: it cannot be read.
    """
    known = members(group, config_dirs)
    contents: dict[str, dict[str, Any]] = {}
    for each, file in known.items():
        try:
            contents[each] = read_mapping(file)
        except (ValueError, OSError):  # a damaged config of another set does not matter
            if each == name:
                raise
    built_by = {each: content for each, content in contents.items() if target in (None, content.get("_target_"))}
    if found := built_by.get(name) or (next(iter(built_by.values()), None) if target else None) or contents.get(name):
        return found
    raise UserError(f"this installation has no {group} '{name}'{did_you_mean(name, known)}")


def _arguments(member: dict[str, Any], options: dict[str, Any], what: str) -> dict[str, Any]:
    """Arguments for a config file's class: the file's own `_target_`, and its options updated with the given values.

    Raises:
        UserError: an option that neither the file nor its `_target_` has, or a value that is not plain.
    """
    allowed = {key: value for key, value in member.items() if key not in _NOT_OPTIONS}
    added = inspect.signature(named(member)).parameters  # options that a run adds, like +degradation.sigma=3.0
    for key, value in options.items():
        if key not in allowed and key not in added:
            raise UserError(f"the {what} {member['name']} has no option '{key}' here")
        if not all(isinstance(item, (str, int, float, type(None))) for item in _items(value)):
            raise UserError(f"the {what} {member['name']}: the option '{key}' is not a plain value")
    return allowed | options | {"_target_": member["_target_"]}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
