"""Whether records of one data set are of the same clips: by its options, by its frames if only its place differs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bench.store.record import Record
from bench.store.unlike_frames import frame_digests

PLACES = ("root", "gt", "lr")
"""Options of a data set that say where its frames are: two copies are the same clips if their frames are equal."""

Named = tuple[str, Record]
"""A record, with the name of its run."""


def first_difference(records: Iterable[Named], may_differ: Collection[str] = ()) -> tuple[Named, Named, str] | None:
    """The first two records of one data set that are not of the same clips, and the options in which they differ.

    Args:
        may_differ: options that may differ, too.
    """
    first: dict[str, Named] = {}
    copies: dict[str, tuple[Named, str, list[Record]]] = {}  # by data and place: of another place than the first
    originals: dict[str, list[Record]] = {}
    for run, record in records:
        before = first.setdefault(record.data, (run, record))
        unlike = _unlike(before[1], record, may_differ)
        if any(key not in PLACES for key in unlike):
            return before, (run, record), ", ".join(unlike)
        if unlike:
            place = f"{record.data} {[record.data_config.get(key) for key in PLACES]}"
            copies.setdefault(place, ((run, record), ", ".join(unlike), []))[2].append(record)
        else:
            originals.setdefault(record.data, []).append(record)
    for named, differs, found in copies.values():
        if not _are_equal(originals[named[1].data], found):
            return first[named[1].data], named, differs
    return None


def _unlike(one: Record, other: Record, may_differ: Collection[str]) -> list[str]:
    ours, theirs = one.data_config, other.data_config
    keys = (ours.keys() | theirs.keys()).difference(may_differ)
    return sorted(key for key in keys if ours.get(key) != theirs.get(key))


def _are_equal(originals: Iterable[Record], copies: Iterable[Record]) -> bool:
    """Whether both have a clip in common, and equal frames of all that they have in common."""
    known = {record.clip: frame_digests(record) for record in originals if record.ok}
    pairs = [(known[record.clip], frame_digests(record)) for record in copies if record.ok and record.clip in known]
    return bool(pairs) and all(ours == theirs != {} for ours, theirs in pairs)
