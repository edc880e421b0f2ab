"""Any metric of pyiqa by its name there, `pyiqa/NAME`: an optional extra, imported on demand."""

from __future__ import annotations

import contextlib
import sys
from functools import cache
from typing import Any, Literal

import numpy as np
import torch

from bench.metrics.base import Kind, check_pair
from bench.metrics.unavailable import NotAtHand
from frames.errors import UserError, did_you_mean, one_line

_PACKAGES = {"pkg_resources": "setuptools<81"}
"""What to install for a module that is not named as its package."""


class Pyiqa:
    """A pyiqa metric with the defaults it has there (colour space, crop, network), which are not this project's."""

    def __init__(self, name: str, device: str, version: str, metric) -> None:
        self._metric, self._device = metric, device
        reference = metric.metric_mode == "FR"
        better: Literal["higher", "lower"] = "lower" if metric.lower_better else "higher"
        self.kind = Kind(f"pyiqa {name}", "", better, 4, reference=reference)
        self.signature = f"pyiqa/{name}|pyiqa-{version} defaults|rgb|uint8|mean-frames,clips|v1"

    def score(self, sr: np.ndarray, gt: np.ndarray | None = None) -> float:
        """One frame's score, of uint8 (H, W, 3) RGB; a metric without reference ignores `gt`."""
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
        UserError: pyiqa is not installed, lacks a package, or has no such metric.
        NotAtHand: its weights cannot be fetched.
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
    metric, reason = _created(name, device)
    if metric is None:
        raise NotAtHand(f"metric pyiqa/{name}: pyiqa could not build it; its weights come from the network ({reason})")
    return Pyiqa(name, device, pyiqa.__version__, metric)


@cache
def _created(name: str, device: str) -> tuple[Any, str]:
    """Create pyiqa's metric: (metric or None, the reason why not). A failed download is not tried again.

    Raises:
        UserError: a package that pyiqa needs is not installed.
    """
    import pyiqa

    try:
        with contextlib.redirect_stdout(sys.stderr):  # it prints as it loads
            return pyiqa.create_metric(name, device=torch.device(device)), ""
    except ImportError as error:
        package = _PACKAGES.get(error.name or "", error.name)
        raise UserError(
            f"metric pyiqa/{name}: pyiqa needs a module that is not there ({one_line(error)}); pip install '{package}'"
        ) from error
    except Exception as error:  # each of its networks has its own way of failing to download
        return None, one_line(error)
