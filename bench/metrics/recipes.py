"""Scores of one prediction under many protocols; each recipe that they need is computed once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

import numpy as np
from omegaconf import OmegaConf

from bench.groups import members
from bench.metrics.base import ClipMetric, FrameMetric, Kind
from bench.metrics.pooling import pooled
from bench.metrics.protocol import Protocol, parse
from bench.metrics.registry import build
from frames.errors import UserError

MEAN, FRAMES, POOLED = "mean", "all frames", "pooled"
"""Columns of a set: mean over clips of the means over frames; mean over the frames of all clips; mean over clips of the
PSNR of a clip's mean squared error."""

Values = dict[str, list[float] | str]
"""Scores of all frames of a clip by signature, or the reason why there are none."""


@dataclass(frozen=True)
class Recipe:
    """One recipe of one metric: the presets that agree on it, and its figures by column (None: does not apply)."""

    metric: str
    kind: Kind
    presets: list[str]
    signature: str
    figures: dict[str, float | None]
    absent: dict[str, str] = field(default_factory=dict)  # clip -> why it has no figure


def read_presets(scale: int, config_dirs: tuple[str, ...] = ()) -> dict[str, Protocol]:
    """Every member of the config group `protocol`, by name.

    Raises:
        UserError: a preset has an unknown key or value.
    """
    found = {}
    for name, file in members("protocol", config_dirs).items():
        options = OmegaConf.to_container(OmegaConf.load(file), resolve=True)
        if not isinstance(options, dict):
            raise UserError(f"{file}: no protocol; it holds no keys")
        found[name] = parse({str(key): value for key, value in options.items()}, scale)
    return found


@dataclass(frozen=True)
class ProtocolScorer:
    """Scores a prediction by several metrics under several protocols."""

    metrics: Sequence[str]
    presets: Mapping[str, Protocol]
    device: str = "cpu"
    config_dirs: tuple[str, ...] = ()
    scale: int = 4  # of the prediction: the period of the lattices that some metrics seek

    def metric(self, name: str, protocol: Protocol) -> FrameMetric:
        """A metric under a protocol.

        Raises:
            UserError: there is none of this name, or it is not one of single frames.
        """
        metric = build(name, protocol, scale=self.scale, device=self.device, config_dirs=self.config_dirs)
        if isinstance(metric, ClipMetric):
            raise UserError(f"metric {name} scores whole clips; only metrics of single frames are explained")
        return metric

    def score(self, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> Values:
        """Score every frame of a clip under every recipe; a recipe that cannot score a frame gets the reason instead.

        Args:
            pairs: SR and GT frames, uint8 (H, W, 3) RGB of one size.
        """
        every = (self.metric(name, _every_frame(p)) for name in self.metrics for p in self.presets.values())
        recipes = {metric.signature: metric for metric in every}
        values: dict[str, list[float]] = {signature: [] for signature in recipes}
        refused: dict[str, str] = {}
        for index, (sr, gt) in enumerate(pairs):
            for signature, metric in recipes.items():
                if signature not in refused:
                    try:
                        values[signature].append(metric.score(sr, gt))
                    except ValueError as error:
                        refused[signature] = f"frame {index}: {error}"
        return {signature: refused.get(signature, found) for signature, found in values.items()}

    def recipes(self, scored: Mapping[str, Values]) -> list[Recipe]:
        """The table of recipes: presets that agree on one share a row; figures by clip, then for the set.

        Args:
            scored: what `score` returned, by clip.
        """
        found: dict[tuple[str, str], Recipe] = {}
        for name in self.metrics:
            for preset, protocol in self.presets.items():
                metric = self.metric(name, protocol)
                key = name, metric.signature
                if key not in found:
                    source = self.metric(name, _every_frame(protocol)).signature
                    clips = {clip: _chosen(values[source], protocol) for clip, values in scored.items()}
                    figures = _figures(clips, pool=metric.kind.title == "PSNR")
                    absent = {clip: reason for clip, reason in clips.items() if isinstance(reason, str)}
                    found[key] = Recipe(name, metric.kind, [], metric.signature, figures, absent)
                found[key].presets.append(preset)
        return list(found.values())


def _figures(clips: Mapping[str, list[float] | str], pool: bool) -> dict[str, float | None]:
    figures = {_column(name): None if isinstance(values, str) else fmean(values) for name, values in clips.items()}
    given = [values for values in clips.values() if not isinstance(values, str)]
    whole = len(given) == len(clips) > 0
    if len(clips) > 1:
        figures[MEAN] = fmean(map(fmean, given)) if whole else None
        figures[FRAMES] = fmean([value for values in given for value in values]) if whole else None
    if pool and clips:
        figures[POOLED] = fmean(map(pooled, given)) if whole else None
    return figures


def _column(clip: str) -> str:
    """The column of a clip, which may have the name of a set's column."""
    return f"{clip} (clip)" if clip in (MEAN, FRAMES, POOLED) else clip


def _chosen(values: list[float] | str, protocol: Protocol) -> list[float] | str:
    """The scores of the frames that the protocol takes, or the reason why there are none."""
    if isinstance(values, str):
        return values
    try:
        return [values[index] for index in protocol.indices(len(values))]
    except ValueError:
        return "too few frames"


def _every_frame(protocol: Protocol) -> Protocol:
    return replace(protocol, drop_first=0, drop_last=0, only=None, every=1)


def protocol_spread(recipes: Sequence[Recipe]) -> str:
    """One line on the largest difference between two protocols in the column of the set."""
    column = MEAN if MEAN in recipes[0].figures else next(iter(recipes[0].figures))
    named = {", ".join(recipe.presets): recipe.figures[column] for recipe in recipes}
    values = {name: value for name, value in named.items() if value is not None}
    if not values:
        return "no protocol has a figure for every clip"
    low, high = (choose(values, key=values.__getitem__) for choose in (min, max))
    difference = values[high] - values[low] if values[high] != values[low] else 0.0
    digits = recipes[0].kind.digits if math.isfinite(difference) else 0
    text = f"spread of protocols ({column}): {difference:.{digits}f}, from {low} to {high}"
    short = [", ".join(recipe.presets) for recipe in recipes if "too few frames" in recipe.absent.values()]
    return text + (f"; too few frames for {'; '.join(short)}" if short else "")
