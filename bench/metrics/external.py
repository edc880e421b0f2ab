"""Any metric of pyiqa by its name there, `pyiqa/NAME`: an optional extra, imported when asked for."""

from __future__ import annotations

import contextlib
import sys
from typing import Literal

import numpy as np
import torch

from bench.metrics.base import Kind, check_pair
from frames.errors import UserError, did_you_mean, one_line


class Pyiqa:
    """A pyiqa metric with the defaults it has there (colour space, crop, network), which are not this project's."""

    def __init__(self, name: str, device: str, version: str, metric) -> None:
        self._metric, self._device = metric, device
        reference = metric.metric_mode == "FR"
        better: Literal["higher", "lower"] = "lower" if metric.lower_better else "higher"
        self.kind = Kind(f"pyiqa {name}", "", better, 4, reference=reference)
        self.signature = f"pyiqa/{name}|pyiqa-{version} defaults|rgb|uint8|mean-frames,clips|v1"

    def score(self, sr: np.ndarray, gt: np.ndarray | None = None) -> float:
        """One frame's score; `gt` is not looked at by a metric without reference."""
        frames = [sr]
        if gt is not None and self.kind.reference:
            check_pair(sr, gt)
            frames.append(gt)
        with torch.inference_mode():
            return float(self._metric(*(self._input(frame) for frame in frames)))

    def _input(self, frame: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(frame)).to(self._device)
        return tensor.permute(2, 0, 1)[None].float() / 255


def build(name: str, device: str) -> Pyiqa:
    """The metric that pyiqa calls `name`.

    Raises:
        UserError: pyiqa is not installed, has no such metric, or its weights cannot be had.
    """
    try:
        import pyiqa
    except ImportError as error:
        if error.name != "pyiqa":
            raise UserError(f"metric pyiqa/{name}: pyiqa cannot be imported ({one_line(error)})") from error
        raise UserError(
            f"metric pyiqa/{name}: pyiqa is not installed; pip install pyiqa (PolyForm-Noncommercial licence)"
        ) from error
    known = pyiqa.list_models()
    if name not in known:
        hint = did_you_mean(name, known)
        raise UserError(
            f"pyiqa has no metric '{name}'{'' if hint.startswith('; known') else hint}; see pyiqa.list_models()"
        )
    try:
        with contextlib.redirect_stdout(sys.stderr):  # it prints as it loads
            metric = pyiqa.create_metric(name, device=torch.device(device))
    except Exception as error:  # each of its networks has its own way of failing to download
        raise UserError(
            f"metric pyiqa/{name}: pyiqa could not build it; its weights come from the network ({one_line(error)})"
        ) from error
    return Pyiqa(name, device, pyiqa.__version__, metric)
