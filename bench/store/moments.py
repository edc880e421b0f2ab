"""Moments as records and environments write them: ISO 8601, each with the offset of the machine that wrote it."""

from __future__ import annotations

from datetime import UTC, datetime

UNKNOWN = datetime(1, 1, 2, tzinfo=UTC)


def now() -> str:
    """This moment, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def moment(text: str) -> datetime:
    """Parse a moment, comparable with those of other machines; `UNKNOWN`, long ago, if the text is not one.

    A moment without an offset is in this machine's time.
    """
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        return UNKNOWN
