"""Pool of methods in memory: each is built once, and only those of the running group are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.methods.adapters import Adapter, adapted
from bench.methods.calls import contained
from bench.methods.checkouts import Checkouts
from bench.methods.settings import OwnSettings
from bench.run.plan import MethodOnData
from bench.store.keys import combined, named_files
from bench.targets import build
from bench.timing.memory import free_locals, in_use_mb
from frames.errors import UserError


@dataclass(frozen=True)
class LoadedMethod:
    """A method in memory, or the error that building it raised."""

    adapter: Adapter | None = None
    error: Exception | None = None
    held_mb: float = 0.0  # memory that it took when it was built
    beside_mb: float = 0.0  # memory of a GPU that the harness had in use before: networks of metrics


class MethodPool:
    """Methods in memory, by their configuration.

    Args:
        loading: called with the name of each method before it is built.
    """

    def __init__(self, loading: Callable[[str], None]) -> None:
        self._loading = loading
        self._loaded: dict[str, LoadedMethod] = {}
        self._checkouts = Checkouts()
        self._files: dict[str, tuple[int, int]] = {}  # size and time of change when first loaded, as keys know them

    def keep_only(self, group: Iterable[MethodOnData]) -> None:
        """Drop all methods but those of this group."""
        wanted = {combined(each.method_config) for each in group}
        for key in self._loaded.keys() - wanted:
            del self._loaded[key]

    def load(self, plan: MethodOnData) -> LoadedMethod:
        """Load a method, unless it is in memory; an exception of its constructor costs its cells, not the run."""
        key = combined(plan.method_config)
        if key not in self._loaded:
            self._loading(plan.method)
            device = plan.config.device
            before = in_use_mb(device)
            beside = before - sum(each.held_mb for each in self._loaded.values()) if device.startswith("cuda") else 0.0
            own = OwnSettings()
            try:
                self._check_files(plan)
                with own.in_force(), contained(), self._checkouts.of(plan.method_config["_target_"], plan.method):
                    adapter = adapted(build(plan.method_config), device, own)
                self._loaded[key] = LoadedMethod(adapter, None, max(0.0, in_use_mb(device) - before), max(0.0, beside))
            except Exception as error:
                self._loaded[key] = LoadedMethod(error=error)
                free_locals(error)
        return self._loaded[key]

    def _check_files(self, plan: MethodOnData) -> None:
        """Raise UserError if a file has changed since this process first loaded it: keys have its former content."""
        for file in named_files(plan.method_config, deep=False).values():
            found = Path(file).stat()
            now = found.st_size, found.st_mtime_ns
            if self._files.setdefault(file, now) != now:
                raise UserError(f"{file}: it has changed since this run first read it; give a copy, and start it again")
