"""The folder that a run leaves: configuration, environment, records, errors. Runs that share one are merged in it."""

from __future__ import annotations

import json
import os
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from omegaconf import OmegaConf

from bench.config import Combination
from bench.run.plan import data_config
from bench.store.records import Records
from frames.atomic import replacing
from frames.errors import UserError, one_line
from frames.strict_yaml import read_mapping

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


class RunFolder:
    """Made, or resumed; `records` are those that it holds.

    Args:
        out: the folder; None: a dated one under results/runs.
    Raises:
        UserError: it cannot be made or written.
    """

    def __init__(self, out: str | None) -> None:
        dated = Path("results") / "runs" / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        self.path = Path(out) if out else dated
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):  # of no name that another run could take away
                pass
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or one_line(error)
            raise UserError(
                f"{self.path}: cannot write the run's folder ({reason}); choose another with out=DIR"
            ) from error
        self.records = Records(self.path)

    def describe(self, command: str, environment: dict, combinations: list[Combination]) -> None:
        """config.yaml (resolved) and environment.json: what was asked for, and where.

        Combinations of earlier runs, and of those at work in the same folder now, stay in config.yaml. A folder holds a
        data set under one set of options: a table of unlike clips would compare nothing.

        Raises:
            UserError: a combination's data set is here with other options.
        """
        own = [_described(combination) for combination in combinations]
        with self.alone():
            self._refuse_mixing(combinations)
            mine = {(each["data"], each["method"]) for each in own}
            others = [each for each in self._combinations() if (each.get("data"), each.get("method")) not in mine]
            with replacing(self.path / "config.yaml") as part:
                content = {"command": command, "combinations": others + own}
                part.write_text(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True), "utf-8")
        with replacing(self.path / "environment.json") as part:
            part.write_text(json.dumps({"command": command, **environment}, indent=2) + "\n", encoding="utf-8")

    def log_error(self, where: str, error: Exception) -> None:
        """errors.log: the whole traceback, for whoever wrote the method."""
        with open(self.path / "errors.log", "a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{where}\n{''.join(traceback.format_exception(error))}\n")

    def _combinations(self) -> list[dict[str, Any]]:
        """The runs before, from config.yaml; none where the file is not there."""
        file = self.path / "config.yaml"
        if not file.is_file():
            return []
        try:
            found = read_mapping(file).get("combinations")
        except ValueError as error:
            raise UserError(f"{error}; or choose another folder with out=DIR") from error
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise UserError(f"{file}: it has no list of combinations; choose another folder with out=DIR")
        return found

    def _refuse_mixing(self, combinations: list[Combination]) -> None:
        known = {record.data: record.data_config for record in self.records.all()}
        for combination in combinations:
            now = data_config(combination.config)
            before = known.setdefault(combination.data, now)
            differs = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
            if differs:
                raise UserError(
                    f"{self.path} holds {combination.data} measured with other options ({', '.join(differs)}): choose "
                    f"another out=DIR, or give this one a name of its own with data.name=NAME"
                )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder's lock during the block, where the system has one: other runs into it wait."""
        if fcntl is None:
            yield
            return
        folder = os.open(self.path, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


class _Dumper(yaml.SafeDumper):
    """Plain YAML without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _described(combination: Combination) -> dict[str, Any]:
    config = OmegaConf.to_container(combination.config, resolve=True)
    return {"data": combination.data, "method": combination.method, "config": config}
