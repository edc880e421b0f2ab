"""Records of unlike frames of a clip, or unlike files of a method: files on disk may change under the same options."""

from __future__ import annotations

from collections.abc import Iterable

from bench.store.record import Record


def frame_digests(record: Record) -> dict[str, str]:
    """The known digests of the frames that a record's results depend on: those of GT, and of LR frames if given.

    LR frames that are made may be rounded otherwise on another machine.
    """
    given = record.lr_sha256 if record.lr_origin.startswith("given") else None
    return {kind: digest for kind, digest in (("GT", record.gt_sha256), ("LR", given)) if digest}


def unlike_frames(records: Iterable[Record]) -> dict[tuple[str, str, str], dict[str, list[str]]]:
    """For each (data, clip, "GT" or "LR") of several digests, the methods by digest.

    Records of failures, and of versions that kept no digest, tell nothing.
    """
    found: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for record in records:
        for kind, digest in frame_digests(record).items() if record.ok else ():
            found.setdefault((record.data, record.clip, kind), {}).setdefault(digest, []).append(record.method)
    return {place: methods for place, methods in found.items() if len(methods) > 1}


def unlike_files(records: Iterable[Record]) -> dict[tuple[str, str, str], dict[str, list[str]]]:
    """For each (data, method, option) that names files of several contents, such as weights, the clips by digest.

    Records of failures, and of versions that kept no digest, tell nothing.
    """
    found: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for record in records:
        for option, digest in record.method_files.items() if record.ok else ():
            found.setdefault((record.data, record.method, option), {}).setdefault(digest, []).append(record.clip)
    return {place: clips for place, clips in found.items() if len(clips) > 1}
