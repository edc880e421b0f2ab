"""Made-up records, as runs write them: nothing is timed here."""

from collections.abc import Callable

import pytest

from bench.store.record import Record
from tests.bench.made_up import make


@pytest.fixture
def record() -> Callable[..., Record]:
    return make


@pytest.fixture
def crowd() -> list[Record]:
    """Two interpolations, a fast and a slow model with one and four steps, on four clips of four sizes."""
    found = []
    for number, clip in enumerate("abcd"):
        base, size = 20 + 3 * number, (10 * (number + 1), 20)
        for method, gain, cost, steps in (
            ("plain", 0.0, 0.001, None),
            ("sharp", 0.05 * (-1) ** number, 0.002, None),
            ("model[steps=1]", 1.0 + 0.1 * number, 0.1, 1),
            ("model[steps=4]", 1.5 + 0.1 * number, 0.3, 4),
        ):
            seconds = [cost * (number + 1) * spread for spread in (1.0, 1.02, 0.97)]
            lpips = 0.3 - 0.1 * gain
            found.append(
                make(method, clip, [base + gain] * 3, seconds, lpips=lpips, expected=4, steps=steps, size=size)
            )
    return found
