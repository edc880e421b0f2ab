"""The stage `turbo`: the projection and the decoder of the turbo path, beside a frozen model of the paper's path."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from frames.degradations import ClipBicubic
from frames.images import write_png
from tests.turbovsr.train.ltx.conftest import OPTIONS, stage_words
from turbovsr import TurboVSR
from turbovsr.ltx import presets
from turbovsr.train.ltx.options import Turbo
from turbovsr.train.ltx.samples import SampleBatch
from turbovsr.train.ltx.turbo import TurboLoss, TurboParts, turbo_config, turbo_model
from turbovsr.train.options import LoopConfig, ReconstructionConfig
from turbovsr.train.rng import StepRng

WORDS = [
    *OPTIONS,
    *stage_words("condition", steps=1),
    *stage_words("shortcut", steps=1),
    *stage_words("turbo", steps=2),
]
PIXELS = ["stages.turbo.reconstruction.lpips=0"]  # its weights may not be here


@pytest.mark.slow
def test_projection_and_decoder_are_trained_and_everything_else_is_kept(data, train, tmp_path):
    for index in range(9):
        frame = np.random.default_rng(index).integers(0, 256, (32, 64, 3), dtype=np.uint8)
        write_png(tmp_path / "gt" / f"{index:08d}.png", frame)
    words = ["recipe=ltx", f"data={data}", f"out={tmp_path}", *WORDS, *PIXELS]
    first = train(*words)
    assert first.code == 0 and not (tmp_path / "turbo.safetensors").exists(), first.err  # optional: not part of all
    answered = train(*words, "stage=turbo", f"validate={tmp_path / 'gt'}")
    assert answered.code == 0 and "starts from shortcut.safetensors" in answered.err, answered.err
    lines = [json.loads(line) for line in (tmp_path / "turbo" / "log.jsonl").read_text().splitlines()]
    assert all(min(lines[0][term], lines[1][term]) > 0 for term in ("loss", "pixel", "condition", "distilled"))
    assert "temporal" in lines[1] and "temporal" not in lines[0]  # stills first, then clips
    assert "gt/1 steps/psnr-y" in lines[-1]
    paper, turbo = (load_file(tmp_path / f"{name}.safetensors") for name in ("shortcut", "turbo"))
    shared = {name for name in paper if not name.startswith("autoencoder.decoder.")}
    assert shared == {name for name in turbo if not name.startswith(("projection.", "decoder."))}
    assert all(torch.equal(paper[name], turbo[name]) for name in shared)
    resumed = train(*words, "stage=turbo", "stages.turbo.loop.steps=3")
    assert resumed.code == 0 and "resumed at step 2" in resumed.err
    model, metadata = presets.build("2b-tiny", weights=tmp_path / "turbo.safetensors")
    assert model.config.path == "turbo" and metadata["name"] == "2b-tiny turbo, turbo" and "notes" not in metadata
    sr = TurboVSR(weights=tmp_path / "turbo.safetensors", size="2b-tiny").upscale(
        torch.zeros(9, 3, 8, 16, dtype=torch.uint8)
    )
    assert sr.shape == (9, 3, 32, 64)


def test_latents_are_refused_because_they_have_no_frames(latents, train, tmp_path):
    words = [
        "recipe=ltx",
        f"data={latents}",
        f"out={tmp_path}",
        *WORDS,
        *PIXELS,
        "stage=turbo",
        "stages.turbo.start=null",
    ]
    answered = train(*words)
    assert answered.code == 3 and "is trained on frames: name photographs and videos as data=" in answered.err


def test_the_loss_falls_where_the_paper_path_is_to_be_imitated(config):
    torch.manual_seed(0)
    teacher, _ = presets.build("2b-tiny", "paper")
    loop = LoopConfig(steps=8, learning_rate=1e-3)
    stage = Turbo(kind="turbo", loop=loop, reconstruction=ReconstructionConfig(pixel=0.0), oracle=0.0)
    parts = TurboParts(turbo_config(teacher.config, "2b-tiny", ClipBicubic()))
    loss = TurboLoss(teacher, stage, {}, torch.float32)
    gt, lr = torch.rand(1, 3, 9, 32, 64) * 2 - 1, torch.rand(1, 3, 9, 8, 16) * 2 - 1
    batch = SampleBatch(gt, lr, False, (5,), (False,), (False,), 1)
    optimizer = torch.optim.AdamW(parts.parameters(), 1e-2)
    found = []
    for step in range(8):
        optimizer.zero_grad()
        output = loss(batch, parts, StepRng(0, step))
        output.loss.backward()
        optimizer.step()
        found.append(output.terms)
    assert all(float(found[-1][term]) < float(found[0][term]) for term in ("condition", "distilled"))
    assert not any(value.grad is not None for value in teacher.parameters())
    model = turbo_model(teacher, parts, turbo_config(teacher.config, "2b-tiny", ClipBicubic()))
    assert torch.equal(model.condition(lr), parts.projection(lr))
