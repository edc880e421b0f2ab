"""From an LTX checkpoint to a scored upscaler: latents, `condition`, `shortcut`, one file, a benchmark."""

import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from bench.__main__ import main as bench
from frames.images import write_png
from tests.command_line import answer
from tests.turbovsr.train.ltx.conftest import OPTIONS, stage_words
from turbovsr.ltx import presets
from turbovsr.train.ltx.latents import source_name
from turbovsr.train.ltx.loop import ShardedLoop
from turbovsr.train.ltx.sharding import random_autoencoder
from turbovsr.train.prepare import main as prepare

PREPARE = ["--size", "2b-tiny", "--bucket", "64x64x9", "64x64x1", "--degradation", "bicubic", "--at-least", "0"]


@pytest.mark.slow
def test_an_ltx_checkpoint_becomes_an_upscaler_that_is_scored(data, ltx_file, train, tmp_path, capfd, monkeypatch):
    latents, out = tmp_path / "latents", tmp_path / "out"
    command = ["--latents", latents, "--data", data, "--weights", ltx_file, *PREPARE]
    encoded = answer(prepare, command, capfd)
    assert encoded.code == 0 and "2 clips encoded, 0 were there" in encoded.err, encoded.err
    assert "64x64x9: b.npy decodes to" in encoded.out and "64x64x1: a.npy decodes to" in encoded.out
    again = answer(prepare, command, capfd)
    assert again.code == 0 and "0 clips encoded, 2 were there" in again.err

    gt = tmp_path / "gt" / "clip"
    for index in range(9):
        write_png(gt / f"{index:08d}.png", np.random.default_rng(index).integers(0, 256, (32, 64, 3), dtype=np.uint8))
    words = ["recipe=ltx", f"data={latents}", f"weights={ltx_file}", f"out={out}", *OPTIONS, f"validate={gt}"]
    words += [*stage_words("condition", steps=2), *stage_words("shortcut", steps=2), "lora=0"]
    answered = train(*words)
    assert answered.code == 0, answered.err
    assert "embed.weight (last 128 columns zero)" in answered.err and "text branch left out" in answered.err
    assert (out / "shortcut" / "pictures" / "0000002.png").is_file()
    lines = [json.loads(line) for line in (out / "shortcut" / "log.jsonl").read_text().splitlines()]
    assert lines[0]["task 1"] > 0 and lines[1]["task 2 shortcut"] > 0 and lines[0]["tokens/s"] > 0
    assert "clip/1 steps/psnr-y" in lines[-1] and "clip/autoencoder/psnr-y" in lines[-1]
    trained = load_file(out / "shortcut.safetensors")
    model, metadata = presets.build("2b-tiny", "paper", weights=out / "shortcut.safetensors")
    before, _ = presets.build("2b-tiny", "paper", weights=ltx_file)
    assert metadata["name"] == "2b-tiny paper, shortcut" and "notes" not in metadata
    frozen = before.autoencoder.state_dict()
    assert all(torch.equal(trained[f"autoencoder.{name}"], value) for name, value in frozen.items())
    assert not torch.equal(trained["transformer.embed.weight"], before.transformer.embed.weight)
    finished = train(*words)
    assert finished.code == 0 and finished.err.count("is finished") == 2

    monkeypatch.setenv("BENCH_STORE", str(tmp_path / "store"))
    run = ["run", "method=turbovsr_2b", "method.size=2b-tiny", f"method.weights={out / 'shortcut.safetensors'}"]
    run += ["data=folder", f"data.gt={gt.parent}", "metrics=[psnr]", "timing=once", "device=cpu", "data.frames=2"]
    scored = answer(bench, [*run, f"out={tmp_path / 'run'}"], capfd)
    assert scored.code == 0, scored.err
    (record,) = (json.loads(line) for line in (tmp_path / "run" / "records.jsonl").read_text().splitlines())
    described = record["descriptor"]
    assert "random" not in described["weights"] and "timed only" not in described["notes"]
    assert "timed only" not in scored.out


def test_a_clip_that_latents_were_made_of_is_not_held_out(latents, train, tmp_path):
    clip = tmp_path / "gt" / "a.png"
    write_png(clip, np.zeros((64, 64, 3), np.uint8))
    folder = shutil.copytree(latents, tmp_path / "latents")
    (file, *_) = (folder / "64x64x9").iterdir()
    file.rename(file.with_name(f"{source_name(clip)}-0003.safetensors"))
    words = ["recipe=ltx", f"data={folder}", f"out={tmp_path / 'out'}", *OPTIONS, *stage_words("condition", steps=1)]
    words += [*stage_words("shortcut"), "stage=condition"]
    answered = train(*words, f"validate={clip.parent}")
    assert answered.code == 3 and "a.png is in the latents that data= names" in answered.err, answered.err
    clip.rename(clip.with_name("b.png"))
    assert train(*words, f"validate={clip.parent}").code == 0


def test_bfloat16_computes_in_it_and_keeps_float32_weights(data, config, train, tmp_path):
    words = ["recipe=ltx", f"data={data}", f"out={tmp_path}", *OPTIONS, "precision=bfloat16", "peak_tflops=1"]
    answered = train(*words, *stage_words("condition", steps=2), *stage_words("shortcut"), "stage=condition")
    assert answered.code == 0 and "encoded while training" in answered.err, answered.err
    found = load_file(tmp_path / "condition.safetensors")
    trained = found["transformer.head.weight"]
    assert trained.dtype == torch.float32 and not torch.equal(trained, trained.bfloat16().float())
    frozen = random_autoencoder(config, seed=3)
    assert all(torch.equal(found[f"autoencoder.{name}"], value) for name, value in frozen)
    lines = [json.loads(line) for line in (tmp_path / "condition" / "log.jsonl").read_text().splitlines()]
    assert all(0.5 < line["loss"] < 3 and line["MFU"] > 0 and line["TFLOP/s"] > 0 for line in lines)


def test_a_resumed_training_has_the_weight_decay_that_is_asked_for_now(latents, train, tmp_path, monkeypatch):
    found, run = [], ShardedLoop.run

    def recorded(loop, *arguments):
        found.append({group["weight_decay"] for group in loop.optimizer.param_groups})
        return run(loop, *arguments)

    monkeypatch.setattr(ShardedLoop, "run", recorded)
    words = ["recipe=ltx", f"data={latents}", f"out={tmp_path}", *OPTIONS, "stage=condition"]
    for steps, weight_decay in ((1, 0.1), (2, 0.5)):
        small = stage_words("condition", steps=steps, **{"loop.weight_decay": weight_decay})
        answered = train(*words, *small)
        assert answered.code == 0, answered.err
    assert "resumed at step 1" in answered.err and found == [{0.1}, {0.5}]


@pytest.mark.parametrize(
    "words, message",
    [
        (["weights=/nowhere.safetensors"], "weights=/nowhere.safetensors: no such file or folder"),
        (["stages.condition.batch.images=3", "stages.condition.micro_batch=2"], "use a multiple of 2"),
        (["stages.condition.trained=[decoder]"], "the kind condition trains the transformer alone"),
        (["stages.condition.loop.optimizer=muon"], "is trained with adamw, not muon"),
        (["stages.condition.bootstrap=0.1"], "unknown option 'stages.condition.bootstrap'"),
        (
            ["stages.x={kind: joint, trained: [decoder], crop: 32, loop: {steps: 1, learning_rate: 1}}"],
            "not in one recipe",
        ),
        (["model.size=7b"], "unknown size 7b"),
        (["model.finest_steps=1"], "model.finest_steps=1: stage shortcut needs a step that has halves"),
        (["keep_last=0"], "keep_last must be at least 1"),
        (["lora=2", "stages.condition.batch.clips=1"], "lora=2: adapters need weights that they adapt"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(words, message, latents, train, tmp_path):
    answered = train("recipe=ltx", f"data={latents}", f"out={tmp_path}", *OPTIONS, *words)
    errors = [line for line in answered.err.splitlines() if line.startswith("turbovsr.train: ")]
    assert answered.code == 3 and len(errors) == 1 and message in errors[0], answered.err


def test_latents_of_another_autoencoder_are_refused(latents, train, tmp_path):
    answered = train("recipe=ltx", f"data={latents}", f"out={tmp_path}", *OPTIONS, "seed=4", *stage_words("condition"))
    assert answered.code == 3 and "latents of another autoencoder" in answered.err
