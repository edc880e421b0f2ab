"""One trial in a process of its own: `python -m bench.envelope.child ANSWER`, the request on standard input.

A failure here, even an abort inside a library, ends only this process. It ends when its parent does.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bench.datasets.clip import Clip
from bench.envelope.limits import CannotLimit, free_memory, limit_memory
from bench.envelope.request import Answer, Loaded, Request, Settings
from bench.envelope.search import Rules
from bench.envelope.started import kill, started_by
from bench.environment import device_name, snapshot
from bench.methods import calls
from bench.methods.adapters import Adapter, ReadyFrames, adapted, check_fits, identity
from bench.methods.contract import Descriptor
from bench.store import typed
from bench.store.trials import FAILED, FITS, MEMORY, ClipSize, Outcome
from bench.targets import build
from bench.timing.measure import Limits, Session, take_turns
from bench.timing.memory import in_use_mb
from frames.errors import one_line
from frames.out_of_memory import is_out_of_memory

TILE = 64


@dataclass(frozen=True)
class Noise:
    """LR frames of seeded noise that moves two pixels a frame, made when they are read."""

    point: ClipSize
    where: str = "frames made for a trial"

    @property
    def frames(self) -> int:
        return self.point.frames

    @property
    def size(self) -> tuple[int, int]:
        return self.point.height, self.point.width

    def __iter__(self) -> Iterator[np.ndarray]:
        tile = np.random.default_rng(0).integers(0, 256, (TILE, TILE, 3), dtype=np.uint8)
        repeats = -(-self.point.height // TILE), -(-self.point.width // TILE), 1
        for index in range(self.point.frames):
            moved = np.roll(tile, 2 * index, axis=1)
            yield np.ascontiguousarray(np.tile(moved, repeats)[: self.point.height, : self.point.width])


def main(argv: list[str]) -> int:
    request = typed.from_json(Request, json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer = answered(request, Path(argv[0]).parent)
    free_memory(request.settings.device)
    Path(argv[0]).write_text(json.dumps(typed.to_json(answer)), encoding="utf-8")
    return 0


def answered(request: Request, around: Path) -> Answer:
    """Answer a request; an exception becomes an answer, too.

    Args:
        around: folder for the files of a trial; the parent removes it, however this process ends.
    """
    settings = request.settings
    try:
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        if settings.memory is not None:
            limit_memory(settings.memory, settings.device)
        adapter = adapted(build(settings.method), settings.device)
        if settings.memory is not None:
            limit_memory(settings.memory, settings.device)
        if request.point is None:
            return Answer(outcome=FITS, loaded=_loaded(adapter, settings))
        return tried(adapter, settings, request.point, around)
    except CannotLimit as error:
        return Answer(outcome=FAILED, environment=one_line(error))
    except Exception as error:  # the trial's answer, whatever it is
        outcome: Outcome = MEMORY if is_out_of_memory(error) else FAILED
        return Answer(outcome=outcome, reason=one_line(error)[:300])


def tried(adapter: Adapter, settings: Settings, point: ClipSize, around: Path) -> Answer:
    """Upscale one clip, timed as in a run.

    Args:
        around: see `answered`.
    Raises:
        Exception: whatever the method raises.
    """
    if isinstance(adapter, ReadyFrames):
        raise ValueError("frames that were made elsewhere have no envelope")
    loaded_mb = 0.0 if adapter.elsewhere else in_use_mb(settings.device)
    size = point.height, point.width
    clip = Clip(str(point), point.frames, 25.0, settings.scale, size, None, "made", Noise(point), None)
    check_fits(adapter, clip)
    (scope,) = adapter.scopes([settings.scope])
    limits = Limits(settings.warmup, settings.repeats, settings.budget_s)
    with tempfile.TemporaryDirectory(dir=around) as folder:
        call = adapter.call(scope, list(clip.lr()), clip, Path(folder) if scope == "files" else None)
        session = Session(call, scope, adapter.device, limits, elsewhere=adapter.elsewhere)
        take_turns([session])
        if session.error is not None:
            raise session.error
        assert session.output is not None
        calls.check_contract(session.output, clip)
    result = session.result
    return Answer(
        outcome=FITS,
        loaded_mb=round(loaded_mb, 1),
        seconds=result.seconds,
        peak_mb=result.peak_memory_mb,
        peak_kind=result.peak_memory_kind,
        busy=result.busy,
    )


def _loaded(adapter: Adapter, settings: Settings) -> Loaded:
    environment = snapshot(settings.device)
    name = device_name(environment)
    own = adapter.method.descriptor
    return Loaded(
        memory_mb=in_use_mb(settings.device),
        descriptor=calls.plain(own),
        rules=_rules(own) if isinstance(own, Descriptor) else Rules(),
        environment=environment,
        device=name,
        kind=environment["gpu"]["name"] if environment["gpu"] else "cpu",
        identity=dict(state) if (state := identity(adapter)) is not None else None,
    )


def _rules(descriptor: Descriptor) -> Rules:
    size, frames = descriptor.size_rule, descriptor.frame_rule
    return Rules(size.minimum, size.multiple_of, frames.minimum, frames.multiple_of, frames.plus)


def _end_with_parent() -> None:
    """End with the parent, which holds the other end of standard input for as long as it lives."""
    sys.stdin.read()
    kill(started_by(os.getpid()))
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
