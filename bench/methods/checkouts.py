"""Checkouts that methods add to Python's path: of two with a module of one name, all methods get the first one's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from frames.errors import UserError


class Checkouts:
    """The folders that the methods of a run add to `sys.path`."""

    def __init__(self) -> None:
        self._methods: dict[Path, str] = {}  # the method that added a folder
        self._refused: dict[str, str] = {}  # why a `_target_` cannot be used in this process

    @contextmanager
    def of(self, target: str, method: str) -> Iterator[None]:
        """Build a method in the block.

        Args:
            target: its `_target_`.
        Raises:
            UserError: it adds a folder with a module of which Python has loaded another method's namesake.
        """
        if target in self._refused:
            raise UserError(self._refused[target])
        before = set(sys.path)
        try:
            yield
        finally:
            added = {Path(each).resolve() for each in sys.path if each not in before} - self._methods.keys()
            complaint = self._complaint(added, method)
            self._methods |= dict.fromkeys(added, method)
            if complaint:
                self._refused[target] = complaint
                raise UserError(complaint)

    def _complaint(self, added: set[Path], method: str) -> str:
        """A sentence on a module of the new folders whose namesake is loaded; empty where there is none."""
        for name in [name for name in sys.modules if "." not in name]:
            for folder in added:
                if not (folder / f"{name}.py").is_file() and not (folder / name).is_dir():
                    continue
                if (other := _folder(sys.modules[name])) in self._methods:
                    return (
                        f"{method} would get the module {name} of {other}, which {self._methods[other]} has loaded, "
                        f"instead of that in {folder}: measure the two in runs of their own, and join these with "
                        "python -m bench merge"
                    )
        return ""


def _folder(module: ModuleType) -> Path | None:
    """The folder in which a top-level module or package lies; None for those of no file."""
    spec = getattr(module, "__spec__", None)
    if not isinstance(spec, ModuleSpec):
        return None
    inside = list(spec.submodule_search_locations or ())
    file = inside[0] if inside else spec.origin if spec.has_location else None
    return Path(file).resolve().parent if file else None
