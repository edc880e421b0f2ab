"""Notes on scores and times, for the reader of a table."""

from __future__ import annotations

from bench.metrics.pooling import NOT_AT_HAND, equal_frames_note
from bench.store.record import Record, Score, Timing
from bench.store.unlike_frames import unlike_files, unlike_frames


def score_note(name: str, score: Score) -> str:
    """One line on a score that is absent or infinite; empty for all others."""
    if score.reason and score.reason.startswith(NOT_AT_HAND):
        return ""  # the machine's fault, not the clip's: see `score_notes`
    if score.reason:
        return f"{name} is absent: {score.reason}"
    return equal_frames_note(name, score.values or ()) if score.title == "PSNR" else ""


def frames_notes(records: list[Record]) -> list[str]:
    """A line on each clip that not all methods were given with the same frames."""
    return [
        f"{clip}: the {kind} frames changed between methods ({_listed(by_digest)}); no best is marked across them: "
        "measure the clip again"
        for (_, clip, kind), by_digest in unlike_frames(records).items()
    ]


def files_notes(records: list[Record]) -> list[str]:
    """A line on each option of a method that named files of other contents for some clips, such as weights."""
    return [
        f"{method}: the content of {option} changed between clips ({_listed(by_digest)}); its figures are of no single "
        "method: measure these clips again"
        for (_, method, option), by_digest in unlike_files(records).items()
    ]


def _listed(by_digest: dict[str, list[str]]) -> str:
    return "; ".join(f"{digest[:10]}: {', '.join(dict.fromkeys(names))}" for digest, names in by_digest.items())


def score_notes(records: list[Record]) -> list[str]:
    """The notes of a table; clips without ground truth are not mentioned.

    A reason why scores are absent is given once, with all clips and methods that it holds for.
    """
    lacking: dict[str, dict[str, None]] = {}  # the machine's reason -> metrics
    absent: dict[str, dict[str, list[str]]] = {}  # note -> method -> clips
    infinite = []
    for record in records:
        for name, score in record.scores.items():
            if score.reason and score.reason.startswith(NOT_AT_HAND):
                lacking.setdefault(score.reason, {})[name] = None
            elif score.reason == "no ground truth" or not (note := score_note(name, score)):
                continue
            elif score.reason:
                absent.setdefault(note, {}).setdefault(record.method, []).append(record.clip)
            else:
                infinite.append(f"{record.clip}, {record.method}: {note}")
    found = [f"{', '.join(names)}: {reason}" for reason, names in lacking.items()]
    return found + by_note(absent) + infinite


def by_note(holds: dict[str, dict[str, list[str]]]) -> list[str]:
    """Lines with a note and its clips and methods, from {note: {method: clips}}; methods with equal clips share one."""
    found = []
    for note, by_method in holds.items():
        together: dict[tuple[str, ...], list[str]] = {}  # clips -> methods
        for method, clips in by_method.items():
            together.setdefault(tuple(dict.fromkeys(clips)), []).append(method)
        found += [f"{', '.join([*clips, *methods])}: {note}" for clips, methods in together.items()]
    return found


def time_doubts(times: Timing) -> list[str]:
    """Reasons not to trust these times."""
    found = times.faults
    if times.redone:
        watched = any(each.telemetry for each in times.repetitions)  # on a GPU, which can throttle
        reason = "the GPU throttled or the machine was busy" if watched else "the machine was busy"
        found.append(f"{times.redone} repetition{'s' * (times.redone > 1)} redone because {reason}")
    if any(each.telemetry and each.telemetry.throttled for each in times.repetitions):
        found.append("the GPU throttled all the same")
    if times.busy:
        found.append("timed on a busy machine")
    return found
