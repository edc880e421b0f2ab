"""Bounded cache of decoded photographs and videos."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

import numpy as np

Arrays = TypeVar("Arrays", bound=tuple[np.ndarray, ...])


class Cache:
    """Decoded arrays by key; above `limit` bytes the least recently used are dropped. Threads may share it."""

    def __init__(self, limit: int):
        self.limit, self.used = limit, 0
        self._entries: OrderedDict[Hashable, tuple[np.ndarray, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Arrays]) -> Arrays:
        """Return the arrays of a key; `make()` decodes them if they are not in the cache."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return cast(Arrays, self._entries[key])
        entry = make()  # outside the lock, so that others can read meanwhile; at worst two threads decode the same
        with self._lock:
            if key not in self._entries:
                self._entries[key] = entry
                self.used += _size(entry)
            while self.used > self.limit and len(self._entries) > 1:
                self.used -= _size(self._entries.popitem(last=False)[1])
        return entry


def _size(entry: tuple[np.ndarray, ...]) -> int:
    return sum(array.nbytes for array in entry)
