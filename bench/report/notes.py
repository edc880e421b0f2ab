"""Notes on scores that a reader should know beside the figures."""

from __future__ import annotations

from bench.metrics.pooling import NOT_AT_HAND, equal_frames_note
from bench.store.record import Record, Score


def score_note(name: str, score: Score) -> str:
    """One line on a score that is absent or infinite; empty for all others."""
    if score.reason and score.reason.startswith(NOT_AT_HAND):
        return ""  # of the machine, not of a clip: see `score_notes`
    if score.reason:
        return f"{name} is absent: {score.reason}"
    return equal_frames_note(name, score.values or ()) if score.title == "PSNR" else ""


def score_notes(records: list[Record]) -> list[str]:
    """The notes of a table, clip by clip; clips without ground truth are no news here."""
    lacking: dict[str, dict[str, None]] = {}
    for record in records:
        for name, score in record.scores.items():
            if score.reason and score.reason.startswith(NOT_AT_HAND):
                lacking.setdefault(score.reason, {})[name] = None
    found = [f"{', '.join(names)}: {reason}" for reason, names in lacking.items()]
    return found + [
        f"{record.clip}, {record.method}: {note}"
        for record in records
        for name, score in record.scores.items()
        if score.reason != "no ground truth" and (note := score_note(name, score))
    ]
