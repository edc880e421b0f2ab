"""TurboVSR: video and image super-resolution by 4 in one or a few generative steps. See README.md beside this file.

from turbovsr import TurboVSR
sr = TurboVSR.from_pretrained("nano").upscale(lr)   # uint8 (T, 3, H, W) -> (T, 3, 4H, 4W)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turbovsr.pipeline import TurboVSR

__all__ = ["TurboVSR"]


def __getattr__(name: str) -> object:
    """Import the model when it is asked for: the command line answers before torch is loaded."""
    if name == "TurboVSR":
        from turbovsr.pipeline import TurboVSR

        return TurboVSR
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
