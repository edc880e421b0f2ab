"""TurboVSR: video and image super-resolution by 4 in one or a few generative steps. See README.md beside this file.

from turbovsr import TurboVSR
sr = TurboVSR.from_pretrained("nano").upscale(lr)   # uint8 (T, 3, H, W) -> (T, 3, 4H, 4W)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turbovsr.pipeline import TurboVSR

__all__ = ["TurboVSR"]


def __getattr__(name: str) -> Any:
    """Import the class on first use: its modules need torch, which the command line's help does not."""
    if name == "TurboVSR":
        from turbovsr.pipeline import TurboVSR

        return TurboVSR
    raise AttributeError(f"module 'turbovsr' has no attribute '{name}'")
