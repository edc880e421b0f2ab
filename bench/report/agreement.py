"""Agreement of viewers with the metrics of a table: one line, from `results/published/agreement.csv`."""

from __future__ import annotations

import csv
from pathlib import Path

from bench.report.cited import ELSEWHERE
from bench.store.record import Record
from frames.errors import UserError
from frames.text_files import read_text

FILE = "agreement.csv"


def line(folder: Path, records: list[Record]) -> str:
    """One line with the correlations of the records' metrics that the published table has.

    Raises:
        UserError: there is no such table, or it cannot be read.
    """
    file = folder / FILE
    try:
        known = {row["metric"]: row for row in csv.DictReader(read_text(file).splitlines())}
        names = dict.fromkeys(_name(name, s.signature) for record in records for name, s in record.scores.items())
        parts = [f"{name} {float(known[name]['within_lr_input']):+.2f}" for name in names if name in known]
        sets = ", ".join(dict.fromkeys(row["set"] for row in known.values()))
    except FileNotFoundError:
        raise UserError(f"{file}: not there; {ELSEWHERE}") from None
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError(f"{file}: not a table of agreements ({type(error).__name__}); write it anew") from error
    if not parts:
        return f"agreement of viewers: no metric of this table is in {file}"
    return f"agreement of viewers (Spearman with opinion scores within one LR input, {sets}): {', '.join(parts)}"


def _name(metric: str, signature: str) -> str:
    """A metric's name in the published table: PSNR on Y is `psnr-y` there, whatever chose the colour."""
    return "psnr-y" if metric == "psnr" and signature.startswith("psnr|y") else metric
