"""What a run's `config.yaml` tells a report: where predictions are kept, and the options of degradations.

The file is data from outside: it is read as plain YAML without aliases, and nothing that it names is built.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from bench.paths import default_store
from bench.store.record import Record
from frames.errors import UserError, one_line
from frames.texts import read_text


class RunConfig:
    """A run's configuration as far as it can be read; a damaged one is said on stderr, and counts as absent."""

    def __init__(self, file: Path) -> None:
        self._runs: list[dict[str, Any]] = []
        if not file.exists():
            return
        try:
            self._runs = _combinations(read_plain_yaml(file), file)
        except (UserError, OSError) as error:
            print(f"bench: {one_line(error)}; the report goes on without it", file=sys.stderr)

    @property
    def store(self) -> Path | None:
        """The store of the run; the default one where its configuration cannot be read; None: it kept nothing."""
        if not self._runs:
            return default_store()
        named = self._runs[0]["config"].get("store")
        return Path(named) if isinstance(named, str) and named else None

    def degradation(self, record: Record) -> dict[str, Any]:
        """The options that made the record's LR frames; empty where they are not told."""
        for each in self._runs:
            options = each["config"].get("degradation")
            if each.get("data") == record.data and isinstance(options, dict):
                if options.get("name") == record.data_config.get("degradation"):
                    return options
        return {}


def read_plain_yaml(file: Path) -> Any:
    """A YAML file without aliases, which can make a small file as large as they like.

    Raises:
        UserError: it is not readable as such.
    """
    try:
        return yaml.load(read_text(file), _PlainLoader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{file}: not readable as YAML ({one_line(error)})") from error
    except RecursionError:
        raise UserError(f"{file}: nested too deeply to be read as YAML") from None


class _PlainLoader(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"an alias in line {self.peek_event().start_mark.line + 1}, which no run writes")
        return super().compose_node(parent, index)


def _combinations(content: Any, file: Path) -> list[dict[str, Any]]:
    found = content.get("combinations") if isinstance(content, dict) else None
    if not isinstance(found, list) or not found or not all(_is_combination(each) for each in found):
        raise UserError(f"{file}: not the configuration of a run")
    return found


def _is_combination(each: Any) -> bool:
    return isinstance(each, dict) and isinstance(each.get("config"), dict)
