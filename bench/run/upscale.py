"""Second step: upscale under the clock, the methods of one clip taking turns, in every scope."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.methods import calls
from bench.methods.adapters import Adapter, InProcess, Program, ReadyFrames
from bench.methods.arithmetic import Macs
from bench.run.cell import Cell, Inputs, Upscaled
from bench.store.keys import frames_digest
from bench.store.moments import now
from bench.store.record import NOT_TIMED, Descriptor
from bench.store.store import Store, StoredTimes
from bench.timing.measure import Session, take_turns
from bench.timing.measure import digest as digest_of_call


def upscale(cells: list[Cell], inputs: Inputs, store: Store, working: Callable[[str], None]) -> int:
    """Fill in `upscaled` of these cells of one clip, or their errors; frames and times go into the store.

    Args:
        working: called with a description of the running step.
    Returns:
        Number of cells that were upscaled.
    """
    measured: dict[int, dict[str, Session]] = {index: {} for index in range(len(cells))}
    for scope in dict.fromkeys(scope for cell in cells for scope in cell.scopes):
        with ExitStack() as stack:
            for index, cell in enumerate(cells):
                if scope in cell.scopes or cell.error is not None:
                    for earlier in measured[index].values():
                        earlier.release()  # a second copy of the frames would count towards this scope's peaks
                if scope in cell.scopes and cell.error is None and isinstance(cell.adapter, InProcess | Program):
                    try:
                        measured[index][scope] = _session(cell, cell.adapter, scope, inputs, stack)
                    except Exception as error:
                        cell.error = error
            taking_part = [index for index, sessions in measured.items() if scope in sessions]
            idle_mb = sum(cell.held_mb for index, cell in enumerate(cells) if index not in taking_part)
            for index in taking_part:
                measured[index][scope].beside_mb += idle_mb  # methods that failed before stay in memory
            names = ", ".join(cells[index].plan.method for index in taking_part)
            working(f"upscaling {cells[0].plan.data}/{cells[0].clip.name} ({scope}): {names}")
            take_turns([measured[index][scope] for index in taking_part])
            for index in taking_part:
                cells[index].error = measured[index][scope].error
    count = 0
    for cell, sessions in zip(cells, measured.values(), strict=True):
        if cell.error is None and cell.adapter is not None:
            try:
                macs = _macs(cell, cell.adapter, sessions, inputs)  # one more call: before the frames are collected
                cell.upscaled = replace(_collected(cell, cell.adapter, sessions), macs=macs)
                count += 1
            except Exception as error:
                cell.error = error
        sessions.clear()
        if cell.upscaled is not None:
            _keep(cell, cell.upscaled, store)
    return count


def _session(cell: Cell, adapter: InProcess | Program, scope: str, inputs: Inputs, stack: ExitStack) -> Session:
    """A cell's turns in one scope; only the scope `files` needs a temporary folder."""
    folder = None
    if scope == "files":
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    call = adapter.call(scope, inputs.lr, cell.clip, folder)
    lr_mb = sum(frame.nbytes for frame in inputs.lr) / 2**20 if folder is None else 0.0  # the call keeps a copy
    held, own = cell.held_mb + lr_mb, adapter.own.in_force
    return Session(call, scope, adapter.device, cell.plan.limits, held, cell.beside_mb, adapter.elsewhere, own)


def _collected(cell: Cell, adapter: Adapter, sessions: dict[str, Session]) -> Upscaled:
    """The frames of the last scope, which are those of every scope, and all times.

    Raises:
        ValueError: frames that are not as the contract says, that differ between scopes, or that have changed since.
    """
    every = list(sessions.values())
    first, last = every[0], every[-1]
    assert last.output is not None
    calls.check_contract(last.output, cell.clip)
    for session in every:
        if session.output_sha256 != last.output_sha256:
            raise ValueError("the scopes gave different frames: the method is not deterministic; set its seed")
        session.result.cached = first.result.cached  # only the first scope had input that the method had not seen
    if digest_of_call(last.output) != last.output_sha256:
        raise ValueError("a later call changed the frames that the method had returned; it must return a copy")
    frames = calls.TensorFrames(last.output)
    digest, descriptor = frames_digest(frames), Descriptor.of(calls.plain(adapter.method.descriptor))
    if not cell.plan.is_timed:
        return Upscaled(frames, digest, descriptor, timing_reason=NOT_TIMED)
    return Upscaled(
        frames=frames,
        sr_sha256=digest,
        descriptor=descriptor,
        timing={scope: session.result for scope, session in sessions.items()},
        timed=now(),
    )


def _macs(cell: Cell, adapter: Adapter, sessions: dict[str, Session], inputs: Inputs) -> Macs:
    """The MACs of a clip; not counted, since that takes one more call, if a call is longer than the budget."""
    if isinstance(adapter, ReadyFrames):
        return Macs(None)
    took = max(each.total_s for session in sessions.values() for each in session.result.repetitions)
    budget = cell.plan.limits.budget_s
    if isinstance(adapter, InProcess) and took > budget:
        return Macs(None, f"not counted: a call takes {took:.3g} s, more than timing.budget_s={budget:g}")
    return adapter.macs(inputs.lr)


def _keep(cell: Cell, upscaled: Upscaled, store: Store) -> None:
    store.keep_prediction(cell.keys.prediction, upscaled.frames, upscaled.sr_sha256)
    if not cell.plan.is_timed:
        return
    times = StoredTimes(
        descriptor=upscaled.descriptor,
        sr_sha256=upscaled.sr_sha256,
        timing=upscaled.timing,
        timed=upscaled.timed or "",
        macs=upscaled.macs.clip,
        macs_reason=upscaled.macs.reason,
    )
    store.keep_times(cell.keys.times, times)
