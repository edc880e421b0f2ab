"""Image networks of the people's weight files, by the package spandrel: an optional extra."""

from baselines.spandrel.upscaler import Spandrel

__all__ = ["Spandrel"]
