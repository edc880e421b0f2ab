"""The folder that a run leaves: configuration, environment, records, errors."""

from __future__ import annotations

import json
import tempfile
import traceback
from datetime import datetime
from pathlib import Path

from omegaconf import OmegaConf

from bench.run.plan import Column
from bench.store.records import Records
from frames.errors import UserError


class RunFolder:
    """Made or gone on with; `records` are those that it holds.

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
        except OSError as error:
            reason = error.strerror or error
            raise UserError(
                f"{self.path}: cannot write the run's folder ({reason}); choose another with out=DIR"
            ) from error
        self.records = Records(self.path)

    def refuse_mixing(self, columns: list[Column]) -> None:
        """A folder holds a data set under one set of options: a table of unlike clips would compare nothing.

        Raises:
            UserError: a column's data set is here with other options.
        """
        kept = {record.data: record.data_config for record in self.records.all()}
        for column in columns:
            before, now = kept.get(column.data, column.data_config), column.data_config
            differs = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
            if differs:
                raise UserError(
                    f"{self.path} holds {column.data} measured with other options ({', '.join(differs)}): choose "
                    f"another out=DIR, or give this one a name of its own with data.name=NAME"
                )

    def describe(self, command: str, environment: dict, columns: list[Column]) -> None:
        """config.yaml (resolved) and environment.json: what this command asked for, and where."""
        cells = [
            {
                "data": column.data,
                "method": column.method,
                "config": OmegaConf.to_container(column.config, resolve=True),
            }
            for column in columns
        ]
        OmegaConf.save(OmegaConf.create({"command": command, "combinations": cells}), self.path / "config.yaml")
        text = json.dumps({"command": command, **environment}, indent=2)
        (self.path / "environment.json").write_text(text + "\n", encoding="utf-8")

    def log_error(self, where: str, error: Exception) -> None:
        """errors.log: the whole traceback, for whoever wrote the method."""
        with open(self.path / "errors.log", "a", encoding="utf-8") as log:
            log.write(f"{where}\n{''.join(traceback.format_exception(error))}\n")
