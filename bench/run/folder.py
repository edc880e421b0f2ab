"""The folder of a run: configuration, environment, records, errors. Runs into the same folder are merged."""

from __future__ import annotations

import json
import tempfile
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from bench.config import Combination
from bench.run.job import WORK
from bench.run.plan import data_config
from bench.run.recording import SAVED
from bench.store.record import Record
from bench.store.records import FILE, FOLDER, RecordFile, Records, worker_file
from bench.store.workers import WORKERS
from frames.appending import refuse_links, without_links
from frames.atomic import replacing
from frames.errors import UserError, one_line
from frames.locks import locked
from frames.strict_yaml import read_mapping


class RunFolder:
    """The folder of a run, created or resumed.

    Args:
        out: the folder; None: a dated one under results/runs.
        worker: the worker that appends its records, in a run of many; empty in a run of one.
    Raises:
        UserError: the folder cannot be created or written, or one of its own folders is a link.
    """

    def __init__(self, out: str | None, worker: str = "") -> None:
        dated = Path("results") / "runs" / datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
        self.path = Path(out) if out else dated
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):  # without a name, so that no other run removes it
                pass
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or one_line(error)
            raise UserError(
                f"{self.path}: cannot write the run's folder ({reason}); choose another with out=DIR"
            ) from error
        for name in (*SAVED, WORK, WORKERS, FOLDER):
            refuse_links(self.path / name, self.path)
        self._records = RecordFile(worker_file(self.path, worker) if worker else self.path / FILE)
        self._errors = self.path / (f"{WORKERS}/{worker}.log" if worker else "errors.log")

    def append(self, record: Record) -> None:
        """Record a finished cell (see `bench.store.records.RecordFile.append`)."""
        self._records.append(record)

    def describe(self, command: str, combinations: list[Combination]) -> None:
        """Write config.yaml, the resolved configuration.

        Combinations of earlier runs, and of those at work in the same folder now, stay in config.yaml. A folder holds a
        data set under one set of options: a table of unlike clips would compare nothing.

        Raises:
            UserError: a combination's data set is in the folder with other options.
        """
        own = [_described(combination) for combination in combinations]
        with locked(self.path):
            self._refuse_mixing(combinations)
            mine = {(each["data"], each["method"]) for each in own}
            others = [each for each in self._combinations() if (each.get("data"), each.get("method")) not in mine]
            with replacing(self.path / "config.yaml") as part:
                content = {"command": command, "combinations": others + own}
                part.write_text(yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True), "utf-8")

    def describe_environment(self, command: str, environment: dict) -> None:
        """Write environment.json, with the command and the environment of the measurement."""
        with replacing(self.path / "environment.json") as part:
            part.write_text(json.dumps({"command": command, **environment}, indent=2) + "\n", encoding="utf-8")

    def log_error(self, where: str, error: Exception) -> None:
        """Append an error's traceback to errors.log, or to the worker's own log.

        Raises:
            UserError: the log is a link.
        """
        self._errors.parent.mkdir(exist_ok=True)
        with open(self._errors, "a", encoding="utf-8", errors="backslashreplace", opener=without_links) as log:
            log.write(f"{where}\n{''.join(traceback.format_exception(error))}\n")

    def _combinations(self) -> list[dict[str, Any]]:
        """The combinations in config.yaml so far; empty without that file."""
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
        known = {record.data: record.data_config for record in Records(self.path).all()}
        for combination in combinations:
            now = data_config(combination.config)
            before = known.setdefault(combination.data, now)
            differs = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
            if differs:
                raise UserError(
                    f"{self.path} holds {combination.data} measured with other options ({', '.join(differs)}): choose "
                    f"another out=DIR, or give this one a name of its own with data.name=NAME"
                )


class _Dumper(yaml.SafeDumper):
    """Plain YAML without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _described(combination: Combination) -> dict[str, Any]:
    config = OmegaConf.to_container(combination.config, resolve=True)
    return {"data": combination.data, "method": combination.method, "config": config}
