"""Ctrl-C and termination while training: the running step is finished and saved first."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from turbovsr.train.distributed import world_size


class Interrupted(Exception):
    """Training was stopped by a signal and has been saved."""

    def __init__(self, step: int, caught: int | None):
        super().__init__(f"interrupted and saved at step {step}")
        self.step = step
        self.exit_code = 128 + (caught or signal.SIGINT)  # 130 for Ctrl-C, as shells have it


class Signals:
    """Within `with Signals() as signals`, SIGINT and SIGTERM only set `signals.caught`.

    A second Ctrl-C in one process stops at once; among several, launchers send a second one themselves.
    """

    def __init__(self) -> None:
        self.caught: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._catch) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.caught is not None and world_size() == 1:
            raise KeyboardInterrupt
        self.caught = number
