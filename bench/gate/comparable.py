"""Which records may be compared: the same frames of the same clips, scored by the same recipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bench.store.record import Record, Score
from frames.errors import UserError, did_you_mean

Cells = dict[tuple[str, str, str], Record]
"""(data, clip, method) -> record of a cell that succeeded."""


def successful_cells(records: Sequence[Record]) -> Cells:
    """The cells that succeeded."""
    return {record.cell: record for record in records if record.ok}


def refuse_unlike(before: Cells, after: Cells, names: tuple[str, str]) -> None:
    """Raise UserError if a cell of both runs was not measured in the same way; the first difference is named.

    Args:
        names: of the two runs, for the message.
    """
    for cell in before:
        if cell not in after:
            continue
        for what, old, new in _differences(before[cell], after[cell]):
            data, clip, method = cell
            raise UserError(
                f"{method} on {data}/{clip} cannot be compared: {what} is {old} in {names[0]}, {new} in {names[1]}; "
                "measure both in one way"
            )


def refuse_unknown(reference: str, first: Sequence[Record], name: str) -> None:
    """Raise UserError if the reference of speed is no method of the first run."""
    methods = {record.method for record in first}
    if reference not in methods:
        raise UserError(f"--reference {reference}: not in {name}{did_you_mean(reference, methods)}")


def refuse_failed(first: Sequence[Record], name: str) -> None:
    """Raise UserError if a method of the first run failed on every clip of a data set: it would not be compared."""
    good = {(record.data, record.method) for record in first if record.ok}
    for record in first:
        if (record.data, record.method) not in good:
            raise UserError(
                f"{name}: {record.method} failed on every clip of {record.data} ({record.reason}); "
                "a run to compare with has at least one result of each of its methods: measure it again"
            )


def _differences(before: Record, after: Record) -> Iterator[tuple[str, Any, Any]]:
    """(what, before, after) of everything that must agree and does not."""
    for what in ("scale", "frames", "lr_size", "gt_size", "lr_origin", "lr_made_with", "protocol"):
        yield from _unlike(what.replace("_", " "), getattr(before, what), getattr(after, what))
    for what in ("degradation", "degradation_options"):
        yield from _unlike(what.replace("_", " "), before.data_config.get(what), after.data_config.get(what))
    if before.gt_sha256 and after.gt_sha256:  # older records have none
        yield from _unlike("the digest of the GT frames", before.gt_sha256, after.gt_sha256)
    given = before.lr_origin.startswith("given")  # LR frames that are made may be rounded otherwise elsewhere
    if given and before.lr_sha256 and after.lr_sha256:
        yield from _unlike("the digest of the LR frames", before.lr_sha256, after.lr_sha256)
    for metric in before.scores.keys() & after.scores.keys():
        yield from _unlike_scores(metric, before.scores[metric], after.scores[metric])


def _unlike_scores(metric: str, before: Score, after: Score) -> Iterator[tuple[str, Any, Any]]:
    yield from _unlike(f"{metric}'s signature", before.signature, after.signature)
    yield from _unlike(f"{metric}'s better direction", before.better, after.better)
    if before.values is not None and after.values is not None:
        yield from _unlike(f"the choice of frames of {metric}", before.indices, after.indices)
        yield from _unlike(f"the number of values of {metric}", len(before.values), len(after.values))


def _unlike(what: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if before != after:
        yield what, before, after
