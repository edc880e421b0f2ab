"""The models of a command: each set of weights is loaded once."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from frames.source import Source
from turbovsr import checkpoints
from turbovsr.pipeline import TurboVSR
from turbovsr.video import fingerprint


class Models:
    """Models by weights, with the other options of `turbovsr.arguments`."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._loaded: dict[str, TurboVSR] = {}

    def model(self, given: Path, source: Source) -> TurboVSR:
        """The model for an input.

        Raises:
            ValueError, FileNotFoundError: weights or options that cannot be used.
        """
        chosen, weights = self._arguments, self._arguments.weights
        if weights not in self._loaded:
            self._loaded[weights] = TurboVSR.from_pretrained(
                weights,
                steps=chosen.steps,
                seed=chosen.seed,
                device=chosen.device or ("cuda" if torch.cuda.is_available() else "cpu"),
                precision=chosen.precision,
                scale=chosen.scale,
                tile=chosen.tile,
                color_fix=chosen.color_fix,
            )
        return self._loaded[weights]

    def identity(self, model: TurboVSR) -> dict[str, str]:
        """What the SR frames of a model depend on, beside the LR frames."""
        weights = next(name for name, loaded in self._loaded.items() if loaded is model)
        options = (model.steps, model.seed, model.scale, model.tile, model.color_fix)
        device = (model.descriptor.device, model.descriptor.dtype)
        return {
            "weights": fingerprint(checkpoints.resolve(weights)),
            "options": repr(options),
            "device or precision": repr(device),
        }
