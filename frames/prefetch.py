"""Reading ahead of use: decoding in a thread while the caller works."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_END = object()


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def ahead(items: Iterable[T], depth: int = 4) -> Iterator[T]:
    """Yield `items` in order while a thread reads up to `depth` of them ahead.

    The thread starts at the first `next`. An exception of `items` is raised here, after the items before it. Closing
    the iterator early (`close()`, leaving a `for` loop, or dropping it) stops the thread and closes `items`.

    Raises:
        ValueError: depth below 1.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, not {depth}")
    return _ahead(items, depth)


def _ahead(items: Iterable[T], depth: int) -> Iterator[T]:
    ready: queue.Queue = queue.Queue(maxsize=depth)
    stop = threading.Event()
    thread = threading.Thread(target=_read, args=(items, ready, stop), name="bench-prefetch", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stop.set()
        while not ready.empty():  # make room, so that a reader that waits to put sees `stop`
            ready.get_nowait()
        thread.join()


def _read(items: Iterable[T], ready: queue.Queue, stop: threading.Event) -> None:
    def put(item: object) -> None:
        while not stop.is_set():
            try:
                return ready.put(item, timeout=0.1)
            except queue.Full:
                continue

    iterator = iter(items)
    try:
        for item in iterator:
            put(item)
            if stop.is_set():
                break
        put(_END)
    except BaseException as error:  # whatever it is, it belongs to the caller's thread
        put(_Failure(error))
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()
