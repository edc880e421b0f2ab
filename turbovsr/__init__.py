"""TurboVSR: video and image super-resolution by 4 in one or a few generative steps. See README.md beside this file.

from turbovsr import TurboVSR
sr = TurboVSR.from_pretrained("nano").upscale(lr)   # uint8 (T, 3, H, W) -> (T, 3, 4H, 4W)
"""

from turbovsr.pipeline import TurboVSR

__all__ = ["TurboVSR"]
