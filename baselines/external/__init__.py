"""An upscaler in an environment of its own: a command that reads files and writes files."""

from baselines.external.upscaler import External

__all__ = ["External"]
