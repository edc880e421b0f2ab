"""A recipe and data so small that a stage trains in a second, and the command line as a function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from tests.command_line import Answer, answer
from tests.turbovsr.conftest import TINY
from turbovsr.train.__main__ import main

LOOP = {"steps": 6, "learning_rate": 1e-3, "warmup": 2, "save_every": 2, "log_every": 1, "picture_every": 100}
BATCH = {"images": 2, "clips": 1, "frames": 9}
RECIPE = {
    "defaults": [{"override /model": "mini"}],
    "seed": 0,
    "video_share": 0.5,
    "stages": {
        "regression": {
            "kind": "autoencoding",
            "trained": ["decoder"],
            "crop": 32,
            "latent_dropout": 1.0,
            "batch": BATCH,
            "loop": LOOP,
        },
        "diffusion": {
            "kind": "diffusion",
            "start": "regression",
            "trained": ["projection", "transformer"],
            "crop": 32,
            "batch": BATCH,
            "loop": LOOP,
        },
    },
}


def write_inputs(folder: Path) -> list[str]:
    """Arrays of a photograph and a shot, and the config folder `mine`; returns the words that use them."""
    rng = np.random.default_rng(0)
    (folder / "data" / "photos").mkdir(parents=True)
    (folder / "data" / "shots").mkdir()
    np.save(folder / "data" / "photos" / "a.npy", rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    np.save(folder / "data" / "shots" / "b.npy", rng.integers(0, 256, (12, 40, 48, 3), dtype=np.uint8))
    for group, content in (("recipe", RECIPE), ("model", {k: v for k, v in vars(TINY).items()})):
        (folder / "mine" / group).mkdir(parents=True)
        head = "# @package _global_\n" if group == "recipe" else ""
        (folder / "mine" / group / "mini.yaml").write_text(head + OmegaConf.to_yaml(content))
    words = ["--config-dir", str(folder / "mine"), "recipe=mini", f"data={folder / 'data'}", "lpips=''", "device=cpu"]
    return words


@pytest.fixture(scope="session")
def words(tmp_path_factory) -> list[str]:
    """What every command of these tests begins with."""
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def train(capfd):
    """`train("recipe=...", ...)` -> exit code, stdout, stderr; torch's threads are as before afterwards."""

    def call(*arguments) -> Answer:
        threads = torch.get_num_threads()
        try:
            return answer(main, arguments, capfd)
        finally:
            torch.set_num_threads(threads)

    return call
