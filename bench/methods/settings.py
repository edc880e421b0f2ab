"""Settings of the whole process that the code of methods, metrics and data sets may change, for others as well."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from operator import attrgetter
from typing import Any

import cv2
import numpy as np
import torch

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
_Setting = tuple[Callable[[], Any], Callable[[Any], Any]]


def _switch(path: str) -> _Setting:
    """One of torch's switches, by its dotted name in `torch.backends`."""
    inside, _, name = path.rpartition(".")
    owner = attrgetter(inside)(torch.backends) if inside else torch.backends
    return partial(getattr, owner, name), partial(setattr, owner, name)


def _autocast(kind: str) -> _Setting:
    """Automatic casts on a kind of device (`torch.autocast`, which may be entered and never left), with their dtype."""

    def write(wanted: tuple[bool, torch.dtype]) -> None:
        torch.set_autocast_enabled(kind, wanted[0])
        torch.set_autocast_dtype(kind, wanted[1])

    return lambda: (torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)), write


def _set_default_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)


def _set_folder(folder: str) -> None:
    with suppress(OSError):  # it was removed meanwhile
        os.chdir(folder)


def _processors() -> set[int]:
    """The processors that the process may use; empty where the system does not tell."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _set_processors(wanted: set[int]) -> None:
    with suppress(OSError):  # some were taken away meanwhile
        os.sched_setaffinity(0, wanted)


def _set_environment(wanted: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)


def _handlers() -> dict[int, Any]:
    """The handlers of the signals that end a run; empty in threads that cannot set them."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.getsignal(number) for name in _ENDING if (number := getattr(signal, name, None))}


def _set_handlers(wanted: Mapping[int, Any]) -> None:
    for number, handler in wanted.items():
        if handler is not None:  # None: it was not set from Python
            signal.signal(number, handler)


_OWN: dict[str, _Setting] = {
    "default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "default device": (torch.get_default_device, _set_default_device),
    "casts on a CPU": _autocast("cpu"),
    "casts on a GPU": _autocast("cuda"),
    "gradients": (torch.is_grad_enabled, torch.set_grad_enabled),
    "float32 products": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    "float32": _switch("fp32_precision"),  # torch's newer switches, after the older one
    "CUDA's float32": _switch("cudnn.fp32_precision"),  # of cuBLAS, too, unless that has its own
    "cuBLAS's float32": _switch("cuda.matmul.fp32_precision"),
    "cuDNN's float32": _switch("cudnn.conv.fp32_precision"),
    "cuDNN's recurrent float32": _switch("cudnn.rnn.fp32_precision"),
    "oneDNN's products": _switch("mkldnn.matmul.fp32_precision"),
    "oneDNN's convolutions": _switch("mkldnn.conv.fp32_precision"),
    "deterministic algorithms": (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    "cuDNN": _switch("cudnn.enabled"),
    "cuDNN's search": _switch("cudnn.benchmark"),
    "cuDNN's determinism": _switch("cudnn.deterministic"),
    "cuDNN's TF32": _switch("cudnn.allow_tf32"),
    "oneDNN": _switch("mkldnn.enabled"),
    "NumPy's errors": (np.geterr, lambda wanted: np.seterr(**wanted)),
    "OpenCV's threads": (cv2.getNumThreads, cv2.setNumThreads),
    "folder": (os.getcwd, _set_folder),
    "environment": (lambda: dict(os.environ), _set_environment),
    "standard output": (lambda: sys.stdout, partial(setattr, sys, "stdout")),
    "standard error": (lambda: sys.stderr, partial(setattr, sys, "stderr")),
    "processors": (_processors, _set_processors),
}
"""Settings that each method has for itself: how one is read and set."""
_SHARED: dict[str, _Setting] = {
    "threads": (torch.get_num_threads, torch.set_num_threads),
    "signals": (_handlers, _set_handlers),
}
"""Settings of the run: methods are compared with one number of threads, and Ctrl-C ends a run."""


class OwnSettings:
    """The settings of one method, which hold only while its code runs: what it sets is kept for its next call."""

    def __init__(self) -> None:
        self._changed: dict[str, Any] = {}

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Run a method's code with its own settings, and restore those of the run afterwards."""
        before = _read()
        _write(self._changed)
        try:
            yield
        finally:
            after = _read()
            self._changed = {name: after[name] for name in _OWN if name in after and after[name] != before.get(name)}
            _write(before)


def restored() -> AbstractContextManager[None]:
    """Run the code of metrics and data sets, and restore the run's settings afterwards."""
    return OwnSettings().in_force()


def _read() -> dict[str, Any]:
    """All settings by name; without those that cannot be read now, as in a mix of torch's old and new switches."""
    found = {}
    for name, (read, _) in (_OWN | _SHARED).items():
        with suppress(RuntimeError, OSError):
            found[name] = read()
    return found


def _write(wanted: Mapping[str, Any]) -> None:
    """Set what is not as wanted; read again one by one, because one of torch's switches may change others."""
    for name, value in wanted.items():
        read, write = (_OWN | _SHARED)[name]
        with suppress(RuntimeError, OSError):
            if read() == value:
                continue
        write(value)
