"""The methods in memory: built once, and only those of the running group."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.methods.adapters import Adapter, adapted
from bench.methods.calls import contained
from bench.run.plan import MethodOnData
from bench.store.keys import combined
from bench.targets import build
from bench.timing.memory import in_use_mb


@dataclass(frozen=True)
class LoadedMethod:
    """A method in memory, or the error that building it raised."""

    adapter: Adapter | None = None
    error: Exception | None = None
    held_mb: float = 0.0  # what it took when it was built


class MethodPool:
    """Methods by their configuration.

    Args:
        loading: is told the name of each method before it is built.
    """

    def __init__(self, loading: Callable[[str], None]) -> None:
        self._loading = loading
        self._loaded: dict[str, LoadedMethod] = {}

    def keep_only(self, group: Iterable[MethodOnData]) -> None:
        """Forget the methods that are not of this group."""
        wanted = {combined(each.method_config) for each in group}
        for key in self._loaded.keys() - wanted:
            del self._loaded[key]

    def load(self, plan: MethodOnData) -> LoadedMethod:
        """The method of this configuration; an exception of its constructor costs its cells, not the run."""
        key = combined(plan.method_config)
        if key not in self._loaded:
            self._loading(plan.method)
            device = plan.config.device
            before = in_use_mb(device)
            try:
                with contained():
                    adapter = adapted(build(plan.method_config), device)
                self._loaded[key] = LoadedMethod(adapter, held_mb=max(0.0, in_use_mb(device) - before))
            except Exception as error:
                self._loaded[key] = LoadedMethod(error=error)
        return self._loaded[key]
