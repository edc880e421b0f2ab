"""The launch options of a command: `workers=`, `launch=`, `launch.KEY=`. They change no result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from bench.groups import members
from frames.errors import UserError, did_you_mean, one_line
from frames.strict_yaml import read_mapping

MOST_WORKERS = 4096
_WORDS = ("workers", "launch")


@dataclass(frozen=True)
class LaunchOptions:
    """The number of workers, and who starts them.

    `local` with 1 is a run in this process; `none` plans a run and starts no worker.
    """

    engine: Literal["local", "slurm", "none"] = "local"
    count: int = 1
    options: dict[str, Any] | None = None  # of conf/launch/<engine>.yaml

    @property
    def is_plain(self) -> bool:
        return self.engine == "local" and self.count == 1 and self.scorers is None

    @property
    def scorers(self) -> int | None:
        """Number of additional workers that only score; None: a worker that upscales a clip scores it, too."""
        found = (self.options or {}).get("scorers")
        return None if found is None else int(found)

    @property
    def total(self) -> int:
        """The expected number of workers; 0 if unknown."""
        started = self.count + (self.scorers or 0) if self.engine != "none" else 0
        return int((self.options or {}).get("expected") or started)

    @property
    def expiry_s(self) -> float:
        return float((self.options or {}).get("expiry_s", 120.0))


def split(words: list[str], config_dirs: tuple[str, ...] = ()) -> tuple[list[str], LaunchOptions]:
    """Split the launch options from the other words of a command.

    Returns:
        (the other words, the launch options).
    Raises:
        UserError: an impossible value, or an unknown option.
    """
    own = [word for word in words if word.partition("=")[0].lstrip("+").partition(".")[0] in _WORDS]
    rest = [word for word in words if word not in own]
    given = {}
    for key, _, value in (word.partition("=") for word in own):
        given[key if "." in key else key.lstrip("+")] = value
    engine, count = _workers(given.pop("workers", "1"))
    ours, others = ("slurm", "local") if engine == "slurm" else ("local", "slurm")
    name = given.pop("launch", ours)
    if engine != "none" and name == others:
        raise UserError(f"launch={name}: these are not its workers; workers=slurm:N starts jobs, workers=N processes")
    return rest, LaunchOptions(engine, count, _options(name, given, config_dirs))


def _workers(text: str) -> tuple[Literal["local", "slurm", "none"], int]:
    engine, colon, number = text.rpartition(":")
    if colon and engine != "slurm":
        raise UserError(f"workers={text}: unknown launcher '{engine}'{did_you_mean(engine, ['slurm'])}")
    if not number.isdecimal() or not (1 if colon else 0) <= int(number) <= MOST_WORKERS:
        raise UserError(f"workers={text}: write a number up to {MOST_WORKERS} (0 starts nobody), or slurm:N")
    return ("slurm" if colon else "local" if int(number) else "none"), int(number)


def _options(name: str, given: dict[str, str], config_dirs: tuple[str, ...]) -> dict[str, Any]:
    known = members("launch", config_dirs)
    if name not in known:
        raise UserError(f"unknown launch '{name}'{did_you_mean(name, known)}")
    file = known[name]
    options = OmegaConf.create(read_mapping(file))
    OmegaConf.set_struct(options, True)
    for key, text in given.items():
        dotted = key.lstrip("+").partition(".")[2]
        try:
            value = yaml.safe_load(text)
            OmegaConf.update(options, dotted, value, force_add=key.startswith("+"))
        except (OmegaConfBaseException, yaml.YAMLError) as error:
            raise UserError(f"{key}={text}: {_reason(dotted, options, file)}") from error
    try:
        found = OmegaConf.to_container(options, resolve=True)
    except OmegaConfBaseException as error:
        raise UserError(f"{file.name}: {one_line(error)}") from error
    assert isinstance(found, dict)
    if not isinstance(setup := found.get("setup") or [], list):
        raise UserError(f"launch.setup={setup}: write a list of shell lines, launch.setup=['{setup}']")
    for key in ("expiry_s", "restarts"):
        if not isinstance(found.get(key), (int, float)) or not 1 <= found[key] < math.inf:  # nor NaN
            raise UserError(f"launch.{key}={found.get(key)}: write a number of at least 1")
    for key, least in (("scorers", 0), ("expected", 1)):
        number = found.get(key)
        if number is not None and (type(number) is not int or not least <= number <= MOST_WORKERS):
            raise UserError(f"launch.{key}={number}: write a whole number of at least {least}, or null")
    return {str(key): value for key, value in found.items()}


def _reason(key: str, options: Any, file: Path) -> str:
    return f"{file.name} has no such option{did_you_mean(key, [str(each) for each in options])}"
