"""Where the project's own files are: in a checkout, or inside an installed package."""

import os
from pathlib import Path

from frames.places import CHECKOUT

_PACKAGE = Path(__file__).resolve().parent

CONF: Path = CHECKOUT / "conf" if CHECKOUT else _PACKAGE / "conf"
"""The Hydra configurations (`conf/` of a checkout, packaged as `bench/conf`)."""


def default_store() -> Path:
    """The folder of predictions, times and scores: $BENCH_STORE, else `results/store` in the current folder."""
    return Path(os.environ.get("BENCH_STORE") or Path("results") / "store")
