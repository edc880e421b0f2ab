"""The models of a command: each set of weights is loaded once."""

from __future__ import annotations

import argparse
import contextlib
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from frames.input_quality.estimate import estimate, indices_to_judge
from frames.source import Source
from frames.video import index_video, read_window
from turbovsr import checkpoints, devices
from turbovsr.pipeline import TurboVSR
from turbovsr.video import fingerprint

AUTO, PLAIN, RESTORING = "auto", "nano", "nano-real"


class Models:
    """The loaded models by their weights; all other options are those of the command line.

    Raises:
        UserError, EnvironmentInvalid: as `turbovsr.devices.chosen`.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._by_weights: dict[str, TurboVSR] = {}
        self._device = devices.chosen(arguments.device)

    def model(self, given: Path, source: Source) -> TurboVSR:
        """Load the model for an input; with --weights auto, stderr says which weights are chosen and why.

        Raises:
            ValueError, FileNotFoundError: weights or options that cannot be used.
        """
        chosen, weights = self._arguments, self._arguments.weights
        if weights == AUTO:
            found = estimate(np.stack([frame.transpose(2, 0, 1) for frame in _frames_to_judge(given, source)]))
            weights = RESTORING if found.degraded or chosen.scale == 1 else PLAIN
            print(f"turbovsr: {given}: weights {weights}, for the input is {found.reason}", file=sys.stderr)
        if weights not in self._by_weights:
            self._by_weights[weights] = TurboVSR.from_pretrained(
                weights,
                steps=chosen.steps,
                seed=chosen.seed,
                use_latent=chosen.latent,
                device=self._device,
                precision=chosen.precision,
                scale=chosen.scale,
                tile=chosen.tile,
                color_fix=chosen.color_fix,
            )
        return self._by_weights[weights]

    def identity(self, model: TurboVSR) -> dict[str, str]:
        """Everything that a model's SR frames depend on besides the LR frames, by name."""
        weights = next(name for name, loaded in self._by_weights.items() if loaded is model)
        options = (model.steps, model.seed, model.use_latent, model.scale, model.tile, model.color_fix)
        device = (model.descriptor.device, model.descriptor.dtype)
        return {
            "weights": fingerprint(checkpoints.resolve(weights)),
            "options": repr(options),
            "device or precision": repr(device),
        }


def _frames_to_judge(given: Path, source: Source) -> list[np.ndarray]:
    """Read the frames by which an input's quality is estimated, uint8 (H, W, 3)."""
    found: list[np.ndarray] = []
    if source.timed is not None:
        with contextlib.suppress(ValueError):  # a damaged video: then its first frames
            index = index_video(given)
            wanted = indices_to_judge(index.frames, video=True)
            found = list(read_window(index, wanted.start, len(wanted)))
    if not found:
        frames = islice(source.frames(), len(indices_to_judge(source.count, video=False)))
        found.append(next(frames))
        with contextlib.suppress(ValueError, OSError):  # a broken image is reported after the frames before it are done
            for frame in frames:
                found.append(frame)
    return found
