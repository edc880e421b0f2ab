"""A recipe of the LTX shape so small that a step takes a fraction of a second, and its data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from turbovsr.ltx import autoencoder_keys
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.ltx.model import LTXConfig
from turbovsr.train.ltx.latents import autoencoder_mark, write_latents, write_manifest
from turbovsr.train.ltx.options import LTXModelOptions
from turbovsr.train.ltx.sharding import meta_model
from turbovsr.train.ltx.weights import fill_autoencoder

LOOP = {
    "learning_rate": 1e-3,
    "warmup": 1,
    "save_every": 2,
    "log_every": 1,
    "validate_every": 100,
    "picture_every": 100,
}
OPTIONS = ["model=ltx_tiny", "degradation=bicubic", "device=cpu", "workers=0", "lpips=''", "seed=3"]


def stage_words(stage: str, steps: int = 4, **options: object) -> list[str]:
    """Words that make a stage of the recipe `ltx` small."""
    settings = {f"loop.{key}": value for key, value in LOOP.items()} | {"loop.steps": steps, "crop": 64} | options
    batch = f"stages.{stage}.batch={{images: 4, clips: 4, frames: 9}}"
    return [batch, *(f"stages.{stage}.{key}={value}" for key, value in settings.items())]


def write_data(folder: Path) -> Path:
    """A photograph and a shot, smooth so that an autoencoder can make something of them."""
    rng = np.random.default_rng(0)
    (folder / "photos").mkdir(parents=True)
    (folder / "shots").mkdir()
    np.save(folder / "photos" / "a.npy", rng.integers(0, 256, (70, 80, 3), dtype=np.uint8))
    np.save(folder / "shots" / "b.npy", rng.integers(0, 256, (10, 70, 80, 3), dtype=np.uint8))
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    return write_data(tmp_path_factory.mktemp("ltx") / "data")


@pytest.fixture(scope="session")
def words(data) -> list[str]:
    """What every command of these tests begins with."""
    return ["recipe=ltx", f"data={data}", *OPTIONS, *stage_words("condition"), *stage_words("shortcut")]


@pytest.fixture(scope="session")
def config() -> LTXConfig:
    return LTXModelOptions(size="2b-tiny").config()


@pytest.fixture(scope="session")
def ltx_file(tmp_path_factory) -> Path:
    """A checkpoint of the tiny size as Lightricks publishes them: both networks in one file, under its names."""
    network = pytest.importorskip("diffusers").LTXVideoTransformer3DModel
    torch.manual_seed(0)
    transformer = network(
        num_attention_heads=2, attention_head_dim=24, cross_attention_dim=48, num_layers=2, caption_channels=32
    )
    autoencoder = LTXAutoencoder("0.9.0-tiny")
    names = autoencoder_keys.names(autoencoder, "lightricks")
    joint = {f"vae.{names[key]}": value for key, value in autoencoder.state_dict().items()}
    for key, value in transformer.state_dict().items():
        key = key.replace("proj_in", "patchify_proj").replace("time_embed.", "adaln_single.")
        joint[f"model.diffusion_model.{key}"] = value
    file = tmp_path_factory.mktemp("weights") / "ltx.safetensors"
    save_file({key: value.contiguous() for key, value in joint.items()}, str(file))
    return file


@pytest.fixture(scope="session")
def latents(tmp_path_factory, config) -> Path:
    """A folder of latents that no autoencoder made, marked as those of random weights of seed 3."""
    return write_random_latents(tmp_path_factory.mktemp("latents"), config)


def write_random_latents(folder: Path, config: LTXConfig, autoencoder: LTXAutoencoder | None = None) -> Path:
    """Latents of two sizes; marked as those of an autoencoder, of random weights of seed 3 where none is given."""
    if autoencoder is None:
        model = meta_model(config)
        model.autoencoder.to_empty(device="cpu")
        fill_autoencoder(model, None, seed=3)
        autoencoder = model.autoencoder
    write_manifest(folder, autoencoder_mark(autoencoder))
    generator = torch.Generator().manual_seed(0)
    for bucket, shape in (("64x64x9", (2, 2, 2)), ("32x64x1", (1, 1, 2))):
        for index in range(2):
            latent, *conditions = torch.randn(3, config.latent_channels, *shape, generator=generator)
            write_latents(folder / bucket / f"{index}.safetensors", latent, conditions, "random")
    return folder
