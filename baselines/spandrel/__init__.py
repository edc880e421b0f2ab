"""Image networks from weights files, by the package spandrel: an optional extra."""

from baselines.spandrel.upscaler import Spandrel

__all__ = ["Spandrel"]
