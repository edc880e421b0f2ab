"""First step: the keys of a cell, and frames that need no upscaling: made elsewhere, or stored under the same key."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from omegaconf import OmegaConf

from bench.methods import calls
from bench.methods.adapters import Adapter, ReadyFrames, check_fits, identity
from bench.methods.arithmetic import Macs
from bench.run.cell import Cell, Inputs, Keys, Upscaled
from bench.run.score import is_complete
from bench.store.entries import Damaged
from bench.store.keys import combined, frames_digest, option_digests, prediction_key, source_digest
from bench.store.prediction import Prediction
from bench.store.record import GIVEN, NOT_TIMED, Descriptor
from bench.store.store import Store
from frames.unexpected import OWN

_NOT_OF_TIMES = ("timed", "solo")  # options of the timing that say when something is timed, not how


def look_up(cell: Cell, inputs: Inputs, store: Store) -> None:
    """Fill in a cell's keys, and `upscaled` if there is nothing to compute; or else its error."""
    if cell.error is not None or cell.adapter is None:
        return
    try:
        if isinstance(cell.adapter, ReadyFrames):
            cell.upscaled = _given(cell, cell.adapter)
            return
        check_fits(cell.adapter, cell.clip)
        cell.keys = _keys(cell, cell.adapter, inputs)
        cell.files = _files(cell.plan.method_config, cell.adapter)
        cell.upscaled = _kept(cell, inputs, store)
    except Exception as error:  # costs this cell
        cell.error = error


def _given(cell: Cell, adapter: ReadyFrames) -> Upscaled:
    frames = adapter.frames(cell.clip, alone=len(cell.plan.clips) == 1)
    descriptor = Descriptor.of(calls.plain(adapter.method.descriptor))
    return Upscaled(frames, frames_digest(frames), descriptor, timing_reason=GIVEN, macs=Macs(None, GIVEN))


def _keys(cell: Cell, adapter: Adapter, inputs: Inputs) -> Keys:
    config = cell.plan.method_config
    prediction = prediction_key(config, inputs.lr_digest, _device_class(cell, adapter), identity(adapter))
    if not cell.plan.is_timed:
        return Keys(prediction)
    timing = OmegaConf.to_container(cell.plan.config.timing)
    assert isinstance(timing, dict)
    how = {key: value for key, value in timing.items() if key not in _NOT_OF_TIMES}
    return Keys(prediction, combined(prediction, how, cell.machine.name))


def _files(method: dict[str, Any], adapter: Adapter) -> dict[str, str]:
    """`Record.method_files`: what the options name, and the sources of a class that is not this project's own.

    The environment names the commit of this project's code, and of no other.
    """
    found = option_digests(method, deep=identity(adapter) is None)
    is_own = method["_target_"].split(".")[0] in OWN
    return found if is_own else found | {"_target_": source_digest(method["_target_"])}


def _device_class(cell: Cell, adapter: Adapter) -> str:
    """The kind of machine, on which the digits of a method's frames depend.

    It includes the precision where `precision=auto` chose it, since processors differ in what they have.
    """
    dtype = str(adapter.method.descriptor.dtype)
    chosen = cell.plan.method_config.get("precision") == "auto" and adapter.device == "cpu" and dtype != "float32"
    return f"{cell.machine.kind}, {dtype}" if chosen else cell.machine.kind


def _kept(cell: Cell, inputs: Inputs, store: Store) -> Upscaled | None:
    """Frames and times of the store, if they belong together; frames that will be used are verified first."""
    prediction = store.prediction(cell.keys.prediction)
    if prediction is None or prediction.frames != cell.clip.frames:
        return None
    found = _with_times(cell, prediction, store) if cell.plan.is_timed else _untimed(cell, prediction)
    if found is None:
        return None
    if cell.plan.config.save != "none" or not is_complete(cell, found, inputs, store):
        try:
            prediction.check()
        except Damaged as damage:
            store.set_aside("predictions", cell.keys.prediction, str(damage))
            return None
    return found


def _with_times(cell: Cell, prediction: Prediction, store: Store) -> Upscaled | None:
    times = store.times(cell.keys.times)
    if times is None or times.sr_sha256 != prediction.sr_sha256 or times.timing.keys() != set(cell.scopes):
        return None  # timed = scored
    found = Upscaled(prediction, prediction.sr_sha256, times.descriptor, times.timing, times.timed)
    return replace(found, macs=Macs(times.macs, times.macs_reason))


def _untimed(cell: Cell, prediction: Prediction) -> Upscaled:
    assert cell.adapter is not None
    descriptor = Descriptor.of(calls.plain(cell.adapter.method.descriptor))
    return Upscaled(prediction, prediction.sr_sha256, descriptor, timing_reason=NOT_TIMED)
