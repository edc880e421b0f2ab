"""Training in miniature: data, degradation, loop and the three stages."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from tests.full_disk import largest_file
from tests.turbovsr.conftest import TINY, tiny_model
from turbovsr import checkpoints
from turbovsr.model import Model
from turbovsr.train.autoencoding import normalise_latent
from turbovsr.train.batch_loader import DrawBatch
from turbovsr.train.data import ClipSource
from turbovsr.train.data_options import BatchConfig, DataConfig
from turbovsr.train.diffusion import dropout
from turbovsr.train.log import IntervalMeans, append_line
from turbovsr.train.loop import Loop, learning_rate
from turbovsr.train.losses import LossOutput, TrainingLoss
from turbovsr.train.options import Autoencoding, Diffusion, Joint, LoopConfig
from turbovsr.train.rng import StepRng
from turbovsr.train.stages import draw_batch, loss_of, with_new_blocks, with_new_decoder

BATCH = BatchConfig(images=2, clips=1, frames=9)
COMMON = {"trained": ("decoder",), "crop": 64, "loop": LoopConfig(steps=4, learning_rate=1e-3), "batch": BATCH}
STAGES = {
    "autoencoding": Autoencoding(kind="autoencoding", latent_dropout=0.25, latent_noise_std=0.2, **COMMON),
    "diffusion": Diffusion(
        kind="diffusion", bootstrap=0.5, latent_noise_std=0.2, **COMMON | {"trained": ("projection", "transformer")}
    ),
    "joint": Joint(kind="joint", bootstrap=0.5, latent_noise_std=0.2, **COMMON),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> ClipSource:
    """A photograph whose pixels tell where they lie, and a shot whose frames tell when."""
    root = tmp_path_factory.mktemp("arrays")
    (root / "photos").mkdir()
    (root / "shots").mkdir()
    rows, columns = np.mgrid[0:80, 0:96]
    np.save(root / "photos" / "a.npy", np.stack([rows, columns, rows ^ columns], axis=-1).astype(np.uint8))
    shot = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), dtype=np.uint8).repeat(12, axis=0)
    shot[..., 2] = np.arange(12)[:, None, None]
    np.save(root / "shots" / "b.npy", shot)
    return ClipSource(DataConfig(paths=(str(root),), video_share=0.5), crop=64)


def training_of(kind: str, model: Model, source: ClipSource) -> tuple[TrainingLoss, DrawBatch]:
    """The loss and the batches of a stage of a kind."""
    return loss_of(STAGES[kind], model, {}), lambda rng: draw_batch(STAGES[kind], source, rng)


def new_model() -> Model:
    torch.manual_seed(0)
    return Model(TINY)


def test_batches_depend_on_seed_and_step_alone(source):
    first, again = (source.batch(StepRng(0, 5).numpy, 2, 9) for _ in range(2))
    other = source.batch(StepRng(0, 6).numpy, 2, 9)
    assert torch.equal(first.gt, again.gt) and torch.equal(first.lr, again.lr)
    assert not torch.equal(first.gt, other.gt)
    assert first.gt.shape == (2, 3, 9, 64, 64) and first.lr.shape == (2, 3, 9, 16, 16)


def test_shared_decisions_do_not_follow_the_numbers_of_the_first_process():
    rng = StepRng(0, 5)
    shared, own = (set(generator.integers(2**62, size=8).tolist()) for generator in (rng.shared, rng.numpy))
    assert not shared & own
    again = StepRng(0, 5).shared.integers(2**62, size=8)
    assert shared == set(again.tolist())


def test_panned_photographs_move_in_whole_pixels(source):
    for step in range(8):
        clip = source._photo_clip(np.random.default_rng(step), 9).astype(int)
        # Red and green are the row and the column: every frame must be an exact crop of the photograph.
        assert (np.diff(clip[..., 0], axis=1) == 1).all() and (np.diff(clip[..., 1], axis=2) == 1).all()


def test_video_clips_are_consecutive_frames(source):
    clip = source._video_clip(np.random.default_rng(0), 9)
    assert (np.diff(clip[:, 0, 0, 2].astype(int)) == 1).all()


def test_missing_arrays_are_one_clear_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="turbovsr.train.prepare"):
        ClipSource(DataConfig(paths=(str(tmp_path),)), 64)


@pytest.mark.parametrize(
    "stage, trained, optimizer",
    [
        ("autoencoding", ["encoder", "decoder"], "muon"),
        ("diffusion", ["projection", "transformer"], "adamw"),
        ("joint", ["decoder", "projection", "transformer"], "muon"),
    ],
)
def test_resumed_training_equals_unbroken_training(stage, trained, optimizer, source, tmp_path):
    config = LoopConfig(steps=4, learning_rate=1e-3, warmup=2, save_every=2, log_every=1, optimizer=optimizer)

    def train(folder):
        model = new_model()
        loop = Loop(model, trained, config, tmp_path / folder)
        ema = loop.run(*training_of(stage, model, source))
        return list(model.state_dict().values()) + list(ema.state_dict().values())

    unbroken = train("unbroken")
    (tmp_path / "resumed").mkdir()
    interrupted = new_model()
    loop = Loop(interrupted, trained, config, tmp_path / "resumed")
    loss, draw = training_of(stage, interrupted, source)

    def killed_at_the_fourth_step(batch, rng, ema):
        if loop.step == 3:
            raise KeyboardInterrupt
        return loss(batch, rng, ema)

    with pytest.raises(KeyboardInterrupt):
        loop.run(killed_at_the_fourth_step, draw)
    resumed = train("resumed")
    assert all(torch.equal(a, b) for a, b in zip(unbroken, resumed))
    steps = [json.loads(line)["step"] for line in (tmp_path / "resumed" / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 3, 4]  # the third step, done after the last checkpoint, was done again


def test_training_beyond_its_last_step_is_refused(source, tmp_path):
    def train(steps):
        model = new_model()
        config = LoopConfig(steps=steps, learning_rate=1e-3)
        Loop(model, ["decoder"], config, tmp_path).run(*training_of("autoencoding", model, source))

    train(2)
    with pytest.raises(ValueError, match="trained to step 2, beyond loop.steps=1: set that to 2"):
        train(1)


def test_training_cannot_resume_with_another_optimizer(source, tmp_path):
    def train(optimizer):
        model = new_model()
        config = LoopConfig(steps=2, learning_rate=1e-3, optimizer=optimizer, save_every=1)
        Loop(model, ["decoder"], config, tmp_path).run(*training_of("autoencoding", model, source))

    train("muon")
    with pytest.raises(ValueError, match="started with loop.optimizer=muon, not adamw"):
        train("adamw")


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_resumed_training_has_the_weight_decay_that_is_asked_for_now(optimizer, source, tmp_path):
    def groups(weight_decay):
        model = new_model()
        config = LoopConfig(steps=1, learning_rate=1e-3, optimizer=optimizer, weight_decay=weight_decay)
        loop = Loop(model, ["decoder"], config, tmp_path)
        if loop.step == 0:
            loop.run(*training_of("autoencoding", model, source))
        return [group["weight_decay"] for group in loop.optimizer.param_groups]

    assert set(groups(0.1)) == {0.1}
    assert set(groups(0.5)) == {0.5}


def test_condition_dropout_depends_on_the_step_alone():
    condition = torch.ones(2, 50, 1, 10, 10)
    first, again = (dropout(condition, 0.25, StepRng(0, 3)) for _ in range(2))
    assert torch.equal(first, again) and not torch.equal(first, dropout(condition, 0.25, StepRng(0, 4)))
    assert (first == 0).float().mean() == pytest.approx(0.25, abs=0.02) and first.mean() == pytest.approx(1, abs=0.03)
    assert dropout(condition, 0.0, StepRng(0, 3)) is condition


def test_only_the_named_parts_are_trained(source, tmp_path):
    model = new_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    config = LoopConfig(steps=6, learning_rate=1e-2, warmup=0)
    Loop(model, ["projection", "transformer"], config, tmp_path).run(*training_of("diffusion", model, source))
    changed = {name.split(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"projection", "transformer"}


def test_new_blocks_of_the_decoder_begin_as_the_identity():
    small, deep = tiny_model(), Model(dataclasses.replace(TINY, decoder_blocks=(2, 4), decoder_inner_blocks=(1, 1)))
    state = with_new_blocks(small.state_dict(), deep)
    deep.load_state_dict(state)
    lr = torch.rand(1, 3, 1, 16, 16)
    assert torch.allclose(deep.decoder(lr, None), small.decoder(lr, None), atol=1e-6)  # features in another layout
    with pytest.raises(ValueError, match="wrong weights"):
        checkpoints.fill(small, with_new_blocks(deep.state_dict(), small), "deep")


def test_a_new_decoder_begins_as_bicubic_and_keeps_what_belongs_to_the_latent():
    old, new = tiny_model(), Model(dataclasses.replace(TINY, decoder_reduction=1, decoder_width=16))
    fresh = new.decoder.stem.weight.clone()
    checkpoints.fill(new, with_new_decoder(old.state_dict(), new), "old")
    assert torch.equal(new.decoder.stem.weight, fresh)
    assert not new.decoder.head.weight.any() and not new.decoder.cells_in.weight.any()
    assert torch.equal(new.decoder.synthesis.basis, old.decoder.synthesis.basis)
    assert torch.equal(new.encoder.head.weight, old.encoder.head.weight)


def test_a_new_decoder_may_go_without_linear_detail():
    old, new = tiny_model(), Model(dataclasses.replace(TINY, decoder_reduction=1, decoder_detail=False))
    checkpoints.fill(new, with_new_decoder(old.state_dict(), new), "old")
    assert new.decoder.synthesis.basis is None
    assert torch.equal(new.decoder.synthesis.first.weight, old.decoder.synthesis.first.weight)


def test_learning_rate_warms_up_and_falls_to_a_hundredth():
    config = LoopConfig(steps=100, learning_rate=1.0, warmup=10)
    assert learning_rate(config, 0) == pytest.approx(0.1) and learning_rate(config, 10) == pytest.approx(1.0)
    assert learning_rate(config, 100) == pytest.approx(0.01)


def test_normalised_latent_has_unit_channels_and_decodes_as_before(source):
    model = new_model()
    torch.nn.init.normal_(model.decoder.head.weight, std=0.1)
    batch = source.batch(np.random.default_rng(0), 2, 9)
    before = model.decoder(batch.lr, model.encoder(batch.gt))
    normalise_latent(model, source, BATCH, batches=8, seed=3)
    assert torch.allclose(model.decoder(batch.lr, model.encoder(batch.gt)), before, atol=1e-4)
    batches = [source.draw(BATCH, StepRng(3, i)).gt for i in range(8)]
    latent = torch.cat([model.encoder(gt).transpose(0, 1).flatten(1) for gt in batches], dim=1)
    assert torch.allclose(latent.mean(dim=1), torch.zeros(32), atol=1e-3)
    assert torch.allclose(latent.std(dim=1), torch.ones(32), atol=1e-2)


def test_a_gradient_that_is_not_finite_is_one_error_and_costs_no_checkpoint(source, tmp_path):
    model = new_model()
    loop = Loop(model, ["decoder"], LoopConfig(steps=4, learning_rate=1e-3, save_every=1), tmp_path)
    loss, draw = training_of("autoencoding", model, source)

    def broken(batch, rng, ema):
        output = loss(batch, rng, ema)
        return output if rng.step < 2 else LossOutput(output.loss * torch.nan, output.terms)

    with pytest.raises(ValueError, match="step 2: the gradient is not finite"):
        loop.run(broken, draw)
    resumed = new_model()
    assert Loop(resumed, ["decoder"], loop.config, tmp_path).step == 2
    assert all(value.isfinite().all() for value in resumed.state_dict().values())


def test_means_after_resuming_in_the_middle_of_an_interval_are_means():
    means = IntervalMeans()
    for value in (1.0, 3.0):
        means.add({"loss": value}, samples=4)
    entries = means.entries(1e-3)
    assert entries["loss"] == 2.0 and entries["lr"] == 1e-3


def test_the_mean_of_a_term_is_over_the_steps_that_have_it_and_keeps_its_digits():
    means = IntervalMeans()
    for step in range(5):
        means.add({"loss": 1.0, "chroma": 1.2345e-5} | ({"temporal": 0.25} if step % 2 else {}), samples=1)
    entries = means.entries(1e-3)
    assert (entries["loss"], entries["temporal"], entries["chroma"]) == (1.0, 0.25, 1.2345e-5)


@pytest.mark.parametrize("steps", [1, 3])
def test_the_logged_loss_of_a_task_is_that_of_its_steps(steps, source):
    model = new_model()
    loss, draw = training_of("diffusion", model, source)
    means, found = IntervalMeans(), {"task 1": [], "task 2": []}
    for step in range(steps):
        rng = StepRng(0, step)
        output = loss(draw(rng), rng, model)
        means.add({name: value.item() for name, value in output.terms.items()}, samples=1)
        found["task 2" if step % 2 else "task 1"].append(output.loss.item())
    for name, value in means.entries(1e-3).items():
        if name in found:
            assert value == pytest.approx(np.mean(found[name]), rel=1e-4)


def test_a_score_that_is_not_finite_is_null_in_the_log(tmp_path):
    append_line(tmp_path / "log.jsonl", 5, {"clip/none/psnr-y": math.inf, "clip/none/lpips": 0.5, "loss": math.nan})

    def refused(constant: str):
        raise ValueError(f"{constant} is no JSON")

    entries = json.loads((tmp_path / "log.jsonl").read_text(), parse_constant=refused)
    assert entries == {"step": 5, "clip/none/psnr-y": None, "clip/none/lpips": 0.5, "loss": None}


def test_a_line_that_a_full_disk_cuts_short_is_removed_and_the_error_names_the_log(tmp_path):
    path = tmp_path / "log.jsonl"
    append_line(path, 1, {"loss": 0.5})
    before = path.read_bytes()
    with largest_file(len(before) + 5), pytest.raises(OSError) as caught:
        append_line(path, 2, {"loss": 0.5})
    assert str(caught.value.filename) == str(path) and path.read_bytes() == before


def test_weights_that_a_later_stage_needs_are_missed_before_the_first_one(words, train, tmp_path):
    late = [
        "stages.diffusion.kind=joint",
        "+stages.diffusion.reconstruction.dists=0.1",
        f"dists={tmp_path / 'none.pt'}",
    ]
    answer = train(*words, "stage=all", *late, f"out={tmp_path / 'out'}")
    assert answer.code == 3 and "the loss of stage diffusion includes DISTS" in answer.err
    assert "none.pt is not a file" in answer.err and not (tmp_path / "out").exists()
