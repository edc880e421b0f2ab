"""The command `python -m turbovsr.train`: stages in turn, kills, Ctrl-C, mistakes."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from frames.images import write_png
from frames.locks import locked
from turbovsr import checkpoints, loading
from turbovsr.model import Model, ModelConfig
from turbovsr.train import stages
from turbovsr.train.batch_loader import load_batches
from turbovsr.train.composition import compose_plain, members
from turbovsr.train.config import build_config
from turbovsr.train.loop import Loop
from turbovsr.train.ltx.sharding import meta_model
from turbovsr.train.phases import even_out

ROOT = Path(__file__).parents[3]


def weights(folder: Path, stage: str = "regression") -> list[torch.Tensor]:
    """All tensors of a stage's checkpoint: model, EMA, optimizers."""
    found = []

    def walk(node) -> None:
        if isinstance(node, torch.Tensor):
            found.append(node)
        elif isinstance(node, (dict, list, tuple)):
            for item in node.values() if isinstance(node, dict) else node:
                walk(item)

    walk(torch.load(folder / stage / "checkpoint.pt", weights_only=True))
    return found


def equal(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return len(a) == len(b) > 0 and all(map(torch.equal, a, b))


def test_all_stages_run_in_turn_and_finished_ones_are_skipped(words, train, tmp_path):
    command = [*words, "stage=all", f"out={tmp_path}", "stages.regression.loop.picture_every=3"]
    answer = train(*command)
    assert answer.code == 0, answer.err
    assert "stage regression: 6 steps" in answer.err and "stage diffusion: 6 steps" in answer.err
    model, metadata = loading.load(tmp_path / "diffusion.safetensors")
    assert metadata["stage"] == "diffusion" and metadata["steps"] == "6" and model.config.latent_channels == 32
    assert sorted(p.name for p in (tmp_path / "regression" / "pictures").iterdir()) == ["0000003.png", "0000006.png"]
    lines = [json.loads(line) for line in (tmp_path / "regression" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6] and lines[0]["samples/s"] > 0

    before = (tmp_path / "diffusion.safetensors").stat().st_mtime_ns
    again = train(*command)
    assert again.code == 0 and again.err.count("is finished") == 2
    assert (tmp_path / "diffusion.safetensors").stat().st_mtime_ns == before

    # A stage that is trained longer makes those that began with it out of date, and they say so.
    longer = train(*command, "stages.regression.loop.steps=7")
    assert longer.code == 3 and "started from other weights of regression" in longer.err


def test_a_stage_can_begin_with_weights_from_elsewhere(words, train, tmp_path):
    assert train(*words, "stage=regression", f"out={tmp_path / 'a'}").code == 0
    begin = tmp_path / "a" / "regression.safetensors"
    checkpoints.save(loading.load(begin)[0], begin, torch.float32, use_latent="false")
    there = train(*words, "stage=diffusion", f"stages.diffusion.start={begin}", f"out={tmp_path / 'b'}")
    assert there.code == 0, there.err
    assert loading.load(tmp_path / "b" / "diffusion.safetensors")[1]["use_latent"] == "false"
    files = [load_file(path) for path in (begin, tmp_path / "b" / "diffusion.safetensors")]
    kept = [key for key in files[0] if key.startswith("decoder.")]  # which a diffusion does not train
    assert kept and all(torch.equal(files[0][key], files[1][key]) for key in kept)
    gone = train(*words, "stage=diffusion", f"stages.diffusion.start={tmp_path / 'c.safetensors'}", f"out={tmp_path}")
    assert gone.code == 3 and "c.safetensors: no such weights" in gone.err


def test_a_stage_can_keep_its_head_even(words, train, tmp_path):
    answer = train(*words, "stage=regression", "stages.regression.even_head=true", f"out={tmp_path}")
    assert answer.code == 0, answer.err
    model, _ = loading.load(tmp_path / "regression.safetensors")
    head = copy.deepcopy(model.decoder.head)
    even_out(head)
    assert torch.allclose(head.weight, model.decoder.head.weight, atol=1e-7)
    assert model.decoder.head.weight.abs().max() > 1e-4


def test_a_stage_that_trains_no_encoder_leaves_the_latent_as_it_is(words, train, tmp_path):
    """A transformer that was trained before samples in the statistics that the encoder had."""
    for name, trained in (("decoder", "[decoder]"), ("dropped", "[encoder,decoder]")):
        stage = ["stage=regression", f"stages.regression.trained={trained}", "stages.regression.loop.steps=1"]
        answer = train(*words, *stage, f"out={tmp_path / name}")
        assert answer.code == 0, answer.err
        model, _ = loading.load(tmp_path / name / "regression.safetensors")
        for part in (model.encoder, model.decoder):
            assert not part.mean.any() and (part.std == 1).all()
    encoding = ["stages.regression.trained=[encoder,decoder]", "stages.regression.latent_dropout=0.5"]
    answer = train(*words, "stage=regression", *encoding, "stages.regression.loop.steps=1", f"out={tmp_path / 'both'}")
    assert answer.code == 0, answer.err
    model, _ = loading.load(tmp_path / "both" / "regression.safetensors")
    assert model.encoder.mean.any() and torch.equal(model.encoder.std, model.decoder.std)


def started(command: list[str], out: Path, lines: int, **options) -> subprocess.Popen:
    """A training of the stage `regression` that has written so many lines of its log, or has ended."""
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, **options)
    log = out / "regression" / "log.jsonl"
    while process.poll() is None and not (log.is_file() and log.read_bytes().count(b"\n") >= lines):
        time.sleep(0.002)
    return process


KILLED_AFTER_STEP_8 = """
import os, signal, sys
from turbovsr.train.__main__ import main
from turbovsr.train.loop import Loop

act = Loop._act_at_intervals

def killed(self, *arguments):
    act(self, *arguments)
    if self.step == 8:
        os.kill(os.getpid(), signal.SIGKILL)

Loop._act_at_intervals = killed
main(sys.argv[1:])
"""


def test_a_kill_costs_the_last_interval_and_not_one_bit(words, train, tmp_path):
    """With a discriminator, whose weights and optimizer are part of what must come back."""
    options = ["stage=regression", "stages.regression.loop.steps=40", "stages.regression.loop.save_every=3"]
    options += ["++stages.regression.gan.width=4", "workers=1"]
    unbroken = train(*words, *options, f"out={tmp_path / 'unbroken'}")
    assert unbroken.code == 0, unbroken.err
    broken = tmp_path / "broken"
    command = [sys.executable, "-c", KILLED_AFTER_STEP_8, *words, *options, f"out={broken}"]
    killed = subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL
    step = torch.load(broken / "regression" / "checkpoint.pt", weights_only=True)["step"]
    assert step == 6
    resumed = train(*words, *options, f"out={broken}")
    assert resumed.code == 0 and f"resumed at step {step}" in resumed.err
    assert equal(weights(tmp_path / "unbroken"), weights(broken))
    files = [load_file(folder / "regression.safetensors") for folder in (tmp_path / "unbroken", broken)]
    assert files[0].keys() == files[1].keys() and all(torch.equal(files[0][key], files[1][key]) for key in files[0])


def test_two_trainings_do_not_share_a_folder(words, train, tmp_path):
    held = tmp_path / "regression"
    held.mkdir()
    with locked(held / "lock"):
        answer = train(*words, "stage=regression", f"out={tmp_path}")
    assert answer.code == 3 and f"{held}: another training is at work here" in answer.err
    assert not list(held.glob("*.pt")) and not list(tmp_path.glob("*.safetensors"))
    torn = held / ".checkpoint.1-1.pt"  # of a save that was killed
    torn.touch()
    assert train(*words, "stage=regression", f"out={tmp_path}").code == 0
    assert not torn.exists()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_all_processes_is_answered_by_one(number, code, words, tmp_path):
    """A terminal and a batch system send it to those that draw the batches as well."""
    options = ["stage=regression", "stages.regression.loop.steps=100000", "workers=2", f"out={tmp_path}"]
    command = [sys.executable, "-m", "turbovsr.train", *words, *options]
    process = started(command, tmp_path, 1, stderr=subprocess.PIPE, text=True, start_new_session=True)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=600)
    assert process.returncode == code and "the same command resumes" in err and "Traceback" not in err


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_the_running_step_and_says_how_to_go_on(number, code, words, train, tmp_path, monkeypatch):
    at_intervals, before = Loop._act_at_intervals, signal.getsignal(number)

    def raising(self, *arguments):
        at_intervals(self, *arguments)
        if self.step == 3:
            signal.raise_signal(number)

    monkeypatch.setattr(Loop, "_act_at_intervals", raising)
    answer = train(*words, "stage=regression", f"out={tmp_path}")
    assert answer.code == code and "saved at step 3" in answer.err and "the same command resumes" in answer.err
    assert torch.load(tmp_path / "regression" / "checkpoint.pt", weights_only=True)["step"] == 3
    assert signal.getsignal(number) is before


def test_drawing_ahead_changes_nothing_but_the_time(words, train, tmp_path):
    for workers in (0, 2):
        out = tmp_path / str(workers)
        assert (
            train(*words, "stage=regression", "degradation=random_blur", f"workers={workers}", f"out={out}").code == 0
        )
    assert equal(weights(tmp_path / "0"), weights(tmp_path / "2"))


@pytest.mark.parametrize("workers", [0, 1])
def test_what_goes_wrong_in_drawing_is_raised_as_it_is(workers):
    def draw(rng):
        raise FileNotFoundError("no clip found")

    with pytest.raises(FileNotFoundError, match="^no clip found$"):
        next(load_batches(draw, 0, 0, 5, workers))


def test_bfloat16_on_request_keeps_weights_in_float32(words, train, tmp_path):
    assert train(*words, "stage=regression", "precision=bfloat16", f"out={tmp_path}").code == 0
    assert {t.dtype for t in weights(tmp_path)} == {torch.float32}


def test_going_on_with_other_settings_is_said(words, train, tmp_path):
    train(*words, "stage=regression", f"out={tmp_path}")
    answer = train(*words, "stage=regression", f"out={tmp_path}", "stages.regression.loop.steps=7", "video_share=0.1")
    assert answer.code == 0 and "video_share 0.5 -> 0.1" in answer.err and "stage.loop.steps 6 -> 7" in answer.err


def test_settings_of_the_start_stay_known_over_several_resumes(words, train, tmp_path):
    command = [*words, "stage=regression", f"out={tmp_path}"]
    assert train(*command).code == 0
    for steps in (7, 8):
        answer = train(*command, f"stages.regression.loop.steps={steps}", "video_share=0.1")
        assert answer.code == 0 and f"stage.loop.steps 6 -> {steps}" in answer.err and "video_share 0.5" in answer.err
    settings = json.loads((tmp_path / "regression" / "settings.json").read_text())
    assert settings["stage"]["loop"]["steps"] == 6 and settings["resumed"]["stage"]["loop"]["steps"] == 8
    again = train(*command, "stages.regression.loop.steps=8", "video_share=0.1")
    assert "is finished" in again.err and "other settings" not in again.err


def test_start_weights_that_are_replaced_during_the_training_are_not_recorded(words, train, tmp_path, monkeypatch):
    assert train(*words, "stage=regression", f"out={tmp_path / 'a'}").code == 0
    begin = tmp_path / "a" / "regression.safetensors"
    digest = hashlib.sha256(begin.read_bytes()).hexdigest()
    run_loop = stages._run_loop

    def replaced(*arguments):
        ema = run_loop(*arguments)
        checkpoints.save(ema, begin, torch.float32)
        return ema

    monkeypatch.setattr(stages, "_run_loop", replaced)
    answer = train(*words, "stage=diffusion", f"stages.diffusion.start={begin}", f"out={tmp_path / 'b'}")
    assert answer.code == 0, answer.err
    assert loading.load(tmp_path / "b" / "diffusion.safetensors")[1]["start_sha256"] == digest
    assert hashlib.sha256(begin.read_bytes()).hexdigest() != digest


def test_a_finished_stage_says_which_settings_are_others_now_and_stays_as_it_is(words, train, tmp_path):
    command = [*words, "stage=regression", f"out={tmp_path}"]
    assert train(*command).code == 0
    before = (tmp_path / "regression.safetensors").read_bytes()
    assert "other settings" not in train(*command).err
    answer = train(*command, "seed=7", "degradation=blur_down", "model.consistent=false")
    assert answer.code == 0 and "is finished" in answer.err and "with other settings" in answer.err
    assert all(said in answer.err for said in ("seed 0 -> 7", "degradation.kind", "model.consistent True -> False"))
    assert f"remove that file and {tmp_path / 'regression'}" in answer.err
    assert (tmp_path / "regression.safetensors").read_bytes() == before


@pytest.mark.parametrize("recipe", members("recipe"))
@pytest.mark.parametrize("degradation", members("degradation"))
def test_every_recipe_is_valid_with_every_degradation(recipe, degradation):
    config = build_config(compose_plain([f"recipe={recipe}", f"degradation={degradation}", "data=x", "out=y"]))
    if isinstance(config.model, ModelConfig):
        Model(config.model)
    else:
        meta_model(config.model.config())
    assert list(config.stages) and config.stage == "all"


@pytest.mark.parametrize(
    "options, message",
    [
        (["recipe=nao"], "unknown recipe 'nao'; did you mean 'nano'?"),
        (["recipe=nano.yaml"], "unknown recipe 'nano.yaml'; did you mean 'nano'?"),
        (["turbovsr/train/nano.yaml"], "options are KEY=VALUE"),
        (["stage=jiont"], "unknown stage 'jiont'; did you mean 'joint'?"),
        (["thread=2"], "unknown option 'thread'; did you mean 'threads'?"),
        (["threads=two"], "option 'threads' wants a whole number, got 'two'"),
        (["stages.joint.loop.learnig_rate=1"], "did you mean 'learning_rate'?"),
        (["stages.joint.trained=[decodre]"], "did you mean 'decoder'?"),
        (["stages.autoencoding.trained=[transformer]"], "stages.autoencoding.trained must name encoder or decoder"),
        (["stages.regression.trained=[encoder]"], "stages.regression.trained must name decoder: no other part"),
        (["stages.diffusion.trained=[encoder]"], "stages.diffusion.trained must name projection or transformer"),
        (
            ["stages.joint.trained=[transformer]", "stages.joint.mix={oracle: 0, none: 1, flow_weight: 0}"],
            "stages.joint.trained must name decoder",
        ),
        (["stages.joint.reconstruction.window=-40"], "window must be at least 32 pixels, or 0 for all but 16, got -40"),
        (["stages.joint.reconstruction.window=31"], "window must be at least 32 pixels, or 0 for all but 16, got 31"),
        (["stages.joint.reconstruction={lpips: 1, jitter: true, window: 42}"], "window must be at least 43 pixels"),
        (["stages.joint.reconstruction.jitter=true", "stages.joint.crop=32"], "crop must be at least 64 with"),
        (["stages.regression.components={batches: 1, clips: 1}", "stages.regression.crop=32"], "components: one clip"),
        (["stages.joint.loop.optimizer=moun"], "unknown optimizer 'moun'; did you mean 'muon'?"),
        (["stages.joint.condition_dropout=1"], "condition_dropout must be from 0 to below 1, got 1"),
        (["stages.joint.augmentation.detail_crop_candidates=0"], "detail_crop_candidates must be at least 1, got 0"),
        (["stages.joint.augmentation.noise_std=-1"], "noise_std must be at least 0, got -1"),
        (["stages.joint.lively=1"], "unknown option 'stages.joint.lively'"),
        (["stages.joint.loop.learning_rate=nan"], "loop.learning_rate must be above 0, got nan"),
        (["stages.joint.loop.ema_decay=2"], "loop.ema_decay must be from 0 to 1, got 2"),
        (["stages.joint.mix.oracle=0.9"], "oracle and none are shares of one whole"),
        (["stages.joint.batch.images=0"], "batch.images must be at least 1, got 0"),
        (["threads=100000"], "threads must be from 1 to 512, got 100000"),
        (["workers=-1"], "workers must be from 0 to 512, got -1"),
        (["seed=-1"], "seed must be from 0 to 9223372036854775807, got -1"),
        (["device=tpu"], "device=tpu: no such device"),
        (["data="], "data: name at least one folder or file"),
        (["out="], "out: name a folder"),
        (["stage=regression", "model.decoder_width=-1"], "model: these sizes do not make a model"),
        (["stage=regression", "model.decoder_width=0"], "a layer of the decoder has no channels"),
        (["stage=regression", "model.condition_channels=0"], "condition_channels=0: the LR frames need 1 or more"),
        (
            ["stage=regression", "model.transformer_width=25", "model.transformer_heads=5"],
            "transformer_width=25: its channels are rotated in pairs, give an even number above 0",
        ),
        (["stage=regression", "model.decoder_width=1000000"], "billion parameters"),
        (["seed=" + "9" * 5000], "cannot read 'seed=99"),
        (["seed=99999999999999999999"], "seed must be from 0 to 9223372036854775807"),
        (["stages.joint.loop.seed=3"], "stages.joint.loop.seed: a stage has no seed of its own; seed= is that of all"),
        (["stages.joint.crop=100"], "crop must be a multiple of 32, got 100"),
        (["stages.joint.batch.frames=8"], "batch.frames must be 8k+1, got 8"),
        (["stages.joint.kind=both"], "unknown kind 'both'"),
        (["stages.joint.kind=[joint]"], "unknown kind '['joint']'"),
        (["stages.regression.gan.weight=0"], "weight must be above 0"),
        (["model.transformer_widht=9"], "did you mean 'transformer_width'?"),
        (["precision=half"], "unknown precision 'half'"),
        (["validate_frames=8"], "validate_frames must be 8k+1"),
        (["degradation=realbasicvrs"], "did you mean 'realbasicvsr'?"),
        (["--config-dir", "/nowhere"], "--config-dir /nowhere: no such folder"),
        (["stage=joint"], "starts from the weights of diffusion"),
        (["data=/nowhere", "stage=regression"], "/nowhere: no such file or folder"),
    ],
)
def test_a_mistake_is_one_line_with_the_remedy(options, message, train, tmp_path):
    answer = train("recipe=nano", "data=x", f"out={tmp_path}", "device=cpu", *options)
    errors = [line for line in answer.err.splitlines() if line.startswith("turbovsr.train: ")]
    assert answer.code == 3 and len(errors) == 1 and message in errors[0]
    assert "Traceback" not in answer.err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_an_invalid_environment(train, tmp_path):
    answer = train("recipe=nano", "data=x", f"out={tmp_path}", "device=cuda")
    assert answer.code == 4 and "use device=cpu" in answer.err


def test_held_out_clips_inside_the_training_data_are_refused(words, train, tmp_path):
    data = next(word for word in words if word.startswith("data=")).removeprefix("data=")
    answer = train(*words, "stage=regression", f"out={tmp_path}", f"validate=[{data}/photos]")
    assert answer.code == 3 and "must not" in answer.err


def test_a_held_out_clip_that_the_training_data_link_to_is_refused(words, train, tmp_path):
    photographs = next(word for word in words if word.startswith("data=")).removeprefix("data=")
    held_out, linked = tmp_path / "held_out", tmp_path / "linked"
    held_out.mkdir()
    linked.mkdir()
    picture = held_out / "0.png"
    write_png(picture, np.zeros((96, 96, 3), np.uint8))
    (linked / "a.png").symlink_to(picture)
    options = ["stage=regression", f"out={tmp_path / 'out'}", f"validate=[{held_out}]"]
    for data in (linked, picture):
        answer = train(*words, f"data=[{photographs},{data}]", *options)
        assert answer.code == 3 and "is the training file" in answer.err


def test_components_need_a_decoder_with_linear_detail(words, train, tmp_path):
    without = ["model.decoder_detail=false", "+stages.regression.components={batches: 1, clips: 2}"]
    answer = train(*words, "stage=regression", f"out={tmp_path}", *without)
    assert answer.code == 3 and "stages.regression.components: needs model.decoder_detail=true" in answer.err


def test_held_out_clips_of_one_name_are_refused(words, train, tmp_path):
    answer = train(*words, "stage=regression", f"out={tmp_path}", "validate=[one/a.mp4,two/a.mp4]")
    assert answer.code == 3 and "2 clips are called a" in answer.err


def test_help_names_recipes_options_and_the_configuration_is_shown(train):
    answer = train("--help")
    assert answer.code == 0
    recipes = "recipe: ablation, further, ltx, memory, nano, real, trial"
    for word in (recipes, "realbasicvsr", "data: ???", "accelerate launch", "turbovsr.train.plot"):
        assert word in answer.out
    shown = train("recipe=nano", "out=x", "--print-config")
    assert shown.code == 0 and "stages:" in shown.out and "data: ???" in shown.out
