"""Places of this project's own files: the checkout, and the folder of fetched weights and clips."""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

CHECKOUT: Path | None = _ROOT if (_ROOT / "pyproject.toml").is_file() else None
"""The checkout's root, None when installed."""


def assets_folder() -> Path:
    """What `bench data fetch` fills: $BENCH_ASSETS, else `.assets` of a checkout, else a folder of the user's cache."""
    if os.environ.get("BENCH_ASSETS"):
        return Path(os.environ["BENCH_ASSETS"])
    if CHECKOUT:
        return CHECKOUT / ".assets"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "turbovsr-bench"
