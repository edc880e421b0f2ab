"""Training of the layers that clean the LR frames' colours."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from frames.bicubic import bicubic
from tests.turbovsr.conftest import TINY
from tests.turbovsr.train.conftest import BATCH, LOOP, RECIPE
from turbovsr.colours import chroma, rgb_of_chroma
from turbovsr.loading import load
from turbovsr.model import Model
from turbovsr.train.batch import Batch
from turbovsr.train.colours import ColoursLoss
from turbovsr.train.rng import StepRng

CONFIG = dataclasses.replace(TINY, decoder_colours=(8, 1), consistent=False)


def stained(stain: float) -> Batch:
    """Clips of grey noise, whose LR has Cb too high by `stain`."""
    gt = (torch.rand(2, 1, 1, 64, 64) * 2 - 1).repeat(1, 3, 1, 1, 1)
    lr = bicubic(gt[:, :, 0], (16, 16)) + rgb_of_chroma(torch.tensor([stain, 0.0]).view(1, 2, 1, 1))
    return Batch(gt, lr.unsqueeze(2))


def error(model: Model, batch: Batch) -> torch.Tensor:
    return ColoursLoss(model)(batch, StepRng(0, 0), model).loss


def test_the_loss_is_the_error_of_chroma_from_clean_lr():
    model = Model(CONFIG)
    assert error(model, stained(0.0)) < 1e-10
    assert error(model, stained(0.2)).item() == pytest.approx(0.2**2 / 2, rel=1e-4)


def test_cleaning_learns_to_take_a_stain_away():
    torch.manual_seed(0)
    model, batch = Model(CONFIG), stained(0.2)
    optimizer = torch.optim.Adam(model.decoder.colours.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        error(model, batch).backward()
        optimizer.step()
    assert error(model, batch) < 0.05 * 0.2**2 / 2
    cleaned = model.decoder.cleaned(batch.lr[:, :, 0])
    assert chroma(cleaned).abs().mean() < 0.05


@pytest.fixture
def recipe(tmp_path):
    """A recipe whose second stage trains those layers; returns the words that use it."""
    stages = {
        "regression": RECIPE["stages"]["regression"],
        "colours": {
            "kind": "colours",
            "start": "regression",
            "trained": ["decoder.colours"],
            "crop": 32,
            "batch": BATCH,
            "loop": LOOP,
        },
    }
    for group, content in (("recipe", RECIPE | {"stages": stages}), ("model", vars(CONFIG))):
        (tmp_path / "own" / group).mkdir(parents=True)
        head = "# @package _global_\n" if group == "recipe" else ""
        (tmp_path / "own" / group / "mini.yaml").write_text(head + OmegaConf.to_yaml(dict(content)))
    return ["--config-dir", str(tmp_path / "own"), "recipe=mini", "lpips=''", "device=cpu", f"out={tmp_path / 'out'}"]


def test_a_stage_trains_those_layers_alone(recipe, words, train, tmp_path):
    data = next(word for word in words if word.startswith("data="))
    answer = train(*recipe, data)
    assert answer.code == 0, answer.err
    before, after = (load(tmp_path / "out" / f"{name}.safetensors")[0] for name in ("regression", "colours"))
    old = before.state_dict()
    changed = {name for name, value in after.state_dict().items() if not torch.equal(value, old[name])}
    assert changed and all(name.startswith("decoder.colours.") for name in changed)
    logged = [json.loads(line) for line in (tmp_path / "out" / "colours" / "log.jsonl").read_text().splitlines()]
    assert logged[-1]["step"] == LOOP["steps"] and np.isfinite(logged[-1]["colours"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("model.decoder_colours=[0,0]", "stages.colours: trains layers that clean colours"),
        ("stages.colours.trained=[decoder]", "trained must be [decoder.colours] with kind=colours"),
        ("model.consistent=true", "decoder_colours needs consistent=false"),
    ],
)
def test_what_does_not_go_together_is_one_line(recipe, train, change, said, tmp_path):
    answer = train(*recipe, f"data={tmp_path}", change)
    assert answer.code == 3 and said in answer.err and "Traceback" not in answer.err
