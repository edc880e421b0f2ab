"""The perceptual networks of a stage: LPIPS and DISTS, in its loss and in its validation."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from frames.errors import EnvironmentInvalid, UserError
from turbovsr.train.backbones import lpips_alex
from turbovsr.train.dists import Dists
from turbovsr.train.messages import info
from turbovsr.train.options import Stage, TrainConfig


def perceptual_networks(config: TrainConfig, stage: Stage, device: torch.device) -> dict[str, nn.Module]:
    """Load the networks "lpips" and "dists"; without its weights one is left out if the stage's loss does not need it.

    Raises:
        UserError: the loss needs weights that are missing.
        EnvironmentInvalid: `compile=true` without a C++ compiler.
    """
    compiler = os.environ.get("CXX", "g++")  # what torch.compile calls
    if config.compile and device.type == "cpu" and not shutil.which(compiler):
        raise EnvironmentInvalid(
            f"compile=true needs a C++ compiler, and {compiler} is not here: install it or leave that out"
        )
    check_networks(config, stage)
    loaders: dict[str, Callable[..., nn.Module]] = {"lpips": lpips_alex, "dists": Dists}
    networks: dict[str, nn.Module] = {}
    for name, paths in _files(config).items():
        missing = _missing(paths)
        if not missing:
            with warnings.catch_warnings():  # the package lpips calls torchvision in an old way
                warnings.filterwarnings("ignore", module="torchvision")
                networks[name] = loaders[name](*map(Path, paths)).to(device)
            if config.compile:
                networks[name].compile(dynamic=False)
        else:
            info(f"no {name.upper()} scores: {missing[0] or repr('')} is not a file")
    return networks


def check_networks(config: TrainConfig, stage: Stage, name: str = "this stage") -> None:
    """Raise `UserError` where the loss of a stage, called `name` in the message, needs weights that are missing."""
    for network, paths in _files(config).items():
        if (missing := _missing(paths)) and (terms := _needing(network, stage)):
            zero = " and ".join(f"reconstruction.{term}=0" for term in terms)
            raise UserError(
                f"the loss of {name} includes {network.upper()}, but {missing[0] or repr('')} is not a file:"
                f" `python -m bench data fetch` fetches it, or set the stage's {zero}"
            )


def _files(config: TrainConfig) -> dict[str, list[str]]:
    """The files of weights of each network."""
    return {"lpips": [config.lpips], "dists": [config.vgg, config.dists]}


def _missing(paths: list[str]) -> list[str]:
    return [path for path in paths if not Path(path).is_file()]


def _needing(network: str, stage: Stage) -> list[str]:
    """The terms of a stage's loss that need a network."""
    losses = [getattr(stage, name, None) for name in ("reconstruction", "gt_reconstruction")]
    terms = {"lpips": ["lpips"], "dists": ["dists", "lpips_vgg"]}[network]
    return [term for term in terms if any(loss is not None and getattr(loss, term) > 0 for loss in losses)]
