"""Names that no metric may have: reports give them to times."""

from __future__ import annotations

_OF_TIMES = {
    *("fps", "ms_per_frame", "mpx_per_s", "peak_memory_mb", "first_call_s", "energy_j_per_frame"),  # in summary.csv
    "speed",  # in the gate and in the history
}


def names_a_time(metric: str) -> bool:
    """Whether reports give this name to a figure of times: NAME, or NAME-SCOPE."""
    return metric.split("-")[0] in _OF_TIMES
