"""A metric that is not available here: it has a column and a reason, but no value."""

from __future__ import annotations

import numpy as np

from bench.metrics.base import Kind
from bench.metrics.pooling import NOT_AT_HAND
from frames.errors import UserError


class NotAtHand(UserError):
    """Something that a metric needs cannot be fetched now; the other metrics of a run are scored all the same."""


class Unavailable:
    """Placeholder for a metric that is not available here.

    Args:
        name: of the metric.
        reason: why it is not available, and the remedy.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.kind = Kind(name, "", "higher", 4, reference=False)
        self.signature = f"{name}|not at hand"
        self.unavailable = f"{NOT_AT_HAND}{reason}"

    def score(self, sr: np.ndarray, gt: np.ndarray | None = None) -> float:
        """Refuse.

        Raises:
            ValueError: always.
        """
        raise ValueError(self.unavailable)
