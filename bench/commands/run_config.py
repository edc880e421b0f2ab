"""Reading of a run's `config.yaml` for reports: the store's path, and the options of degradations.

The file is data from outside: it is read as plain YAML within bounds, and nothing that it names is built.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bench.paths import default_store
from bench.store.record import Record
from frames.errors import UserError, one_line
from frames.strict_yaml import read_mapping


class RunConfig:
    """A run's configuration; a damaged file is reported on stderr and counts as absent."""

    def __init__(self, file: Path) -> None:
        self._runs: list[dict[str, Any]] = []
        if not file.is_file():  # neither absent nor a pipe
            return
        try:
            self._runs = _combinations(read_mapping(file), file)
        except (UserError, ValueError, OSError) as error:
            print(f"bench: {one_line(error)}; the report is made without it", file=sys.stderr)

    @property
    def store(self) -> Path | None:
        """The run's store: None if it had none, the default store if the configuration cannot be read."""
        if not self._runs:
            return default_store()
        named = self._runs[0]["config"].get("store")
        return Path(named) if isinstance(named, str) and named else None

    def degradation(self, record: Record) -> dict[str, Any]:
        """The degradation's options that made the record's LR frames; {} if they are not known."""
        for each in self._runs:
            options = each["config"].get("degradation")
            if each.get("data") == record.data and isinstance(options, dict):
                if options.get("name") == record.data_config.get("degradation"):
                    return options
        return {}


def _combinations(content: dict[str, Any], file: Path) -> list[dict[str, Any]]:
    found = content.get("combinations")
    if not isinstance(found, list) or not found or not all(_is_combination(each) for each in found):
        raise UserError(f"{file}: not the configuration of a run")
    return found


def _is_combination(each: Any) -> bool:
    return isinstance(each, dict) and isinstance(each.get("config"), dict)
