"""Conversion of the composed configuration to the dataclasses of `turbovsr.train.options`."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

from frames.degradations import ClipDegradation
from frames.errors import UserError, did_you_mean
from turbovsr.geometry import SCALE
from turbovsr.model import ModelConfig
from turbovsr.train.ltx.options import LATENT_KINDS, LatentStage, LTXModelOptions, LTXTrainConfig
from turbovsr.train.options import KINDS, TrainConfig
from turbovsr.train.schema import build


def build_config(plain: dict[str, Any]) -> TrainConfig:
    """Convert and check plain dictionaries, as `compose_plain` returns them. Raises `UserError`."""
    plain = dict(plain)
    stages = plain.get("stages")
    if not isinstance(stages, dict) or not stages:
        raise UserError("the recipe has no stages")
    kinds = KINDS | LATENT_KINDS
    plain["stages"] = {}
    for name, values in stages.items():
        kind = values.get("kind") if isinstance(values, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            raise UserError(f"stages.{name}.kind: unknown kind '{kind}'{did_you_mean(str(kind), kinds)}")
        plain["stages"][str(name)] = build(kinds[kind], values, f"stages.{name}")
    in_latents = [isinstance(stage, LatentStage) for stage in plain["stages"].values()]
    if any(in_latents) != all(in_latents):
        raise UserError(
            f"stages: the kinds {', '.join(LATENT_KINDS)} are of the LTX shape, the others of nano: not in one recipe"
        )
    model, whole = (LTXModelOptions, LTXTrainConfig) if all(in_latents) else (ModelConfig, TrainConfig)
    plain["model"] = build(model, plain.get("model") or {}, "model")
    plain["degradation"] = degradation(plain.get("degradation") or {})
    return build(whole, plain, "")


def degradation(values: dict[str, Any]) -> ClipDegradation:
    """Build the degradation that `_target_` names, with its parameters. Raises `UserError`."""
    parameters = dict(values)
    target = str(parameters.pop("_target_", ""))
    module, _, name = target.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"degradation._target_: cannot find '{target}' ({error})") from error
    if not dataclasses.is_dataclass(kind) or "scale" not in {field.name for field in dataclasses.fields(kind)}:
        raise UserError(f"degradation._target_: '{target}' is not a dataclass with a scale, as degradations are")
    built = build(kind, parameters, "degradation")
    if built.scale != SCALE:
        raise UserError(f"degradation.scale must be {SCALE}, the model's, got {built.scale}")
    return built
