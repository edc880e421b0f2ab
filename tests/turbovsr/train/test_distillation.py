"""Learning from another upscaler's frames: pairs, their batches, the loss and a stage."""

import dataclasses

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from tests.turbovsr.conftest import tiny_model
from tests.turbovsr.train.conftest import BATCH, LOOP, RECIPE
from turbovsr.train.batch import Batch
from turbovsr.train.data import ClipSource
from turbovsr.train.data_options import BatchConfig, DataConfig
from turbovsr.train.distillation import DistillationLoss, draw_taught
from turbovsr.train.losses import charbonnier, high_pass
from turbovsr.train.options import Distillation, LoopConfig, ReconstructionConfig
from turbovsr.train.pairs import Pair, PairBatch, PairSource, read, target_index
from turbovsr.train.rng import StepRng

STAGE = Distillation(
    kind="distillation",
    trained=("decoder",),
    crop=64,
    loop=LoopConfig(steps=4, learning_rate=1e-3),
    batch=BatchConfig(images=3, clips=2, frames=9),
    reconstruction=ReconstructionConfig(pixel=0.8, fine=1.0),
    gt_pixel=0.2,
)


def save(path, frames: int, size: int = 16, **changes) -> None:
    rng = np.random.default_rng(int(path.stem[-1]))
    lr = rng.integers(0, 256, (frames, size, size, 3), dtype=np.uint8)
    sr = lr[target_index(frames)].repeat(4, axis=0).repeat(4, axis=1)
    np.savez(path, **({"lr": lr, "sr": sr, "gt": 255 - sr} | changes))


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        save(tmp_path / f"still-{number}.npz", 1)
        save(tmp_path / f"clip-{number}.npz", 4)
    return tmp_path


@pytest.fixture
def source(tmp_path):
    (tmp_path / "data" / "photos").mkdir(parents=True)
    photo = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    np.save(tmp_path / "data" / "photos" / "a.npy", photo)
    return ClipSource(DataConfig((str(tmp_path / "data"),)), crop=64)


def enlarged(lr: torch.Tensor) -> torch.Tensor:
    """LR clips (B, 3, T, h, w) with every pixel repeated."""
    return lr.repeat_interleave(4, dim=-1).repeat_interleave(4, dim=-2)


@pytest.mark.parametrize(("stills", "frames"), [(True, 1), (False, 4)])
def test_the_frames_of_a_pair_are_turned_alike_and_the_last_but_one_is_taught(folder, stills, frames):
    pairs = PairSource(folder)
    seen = set()
    for step in range(12):
        batch = pairs.draw(StepRng(0, step), 2, stills)
        assert batch.lr.shape == (2, 3, frames, 16, 16) and batch.sr.shape == (2, 3, 1, 64, 64)
        shown = target_index(frames)
        assert torch.equal(enlarged(batch.lr[:, :, shown : shown + 1]), batch.sr)  # `save` made SR frames so
        assert torch.allclose(batch.gt, -batch.sr, atol=1e-6)
        seen |= {round(float(x), 4) for x in batch.lr[:, 0, 0, 0, 0]}
    assert len(seen) > 6  # corners of more than the six pictures: they are mirrored


def test_pairs_depend_on_seed_and_step_alone(folder):
    first, again, other = (PairSource(folder).draw(StepRng(0, step), 2, True).lr for step in (5, 5, 6))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_pairs_of_several_sizes_are_refused(folder):
    save(folder / "clip-3.npz", 4, size=24)
    with pytest.raises(ValueError, match="LR clips of several sizes"):
        PairSource(folder).draw(StepRng(0, 0), 40, stills=False)


def test_every_orientation_occurs():
    lr = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1).repeat(3, axis=3)
    pair = Pair(lr, lr[0].repeat(4, 0).repeat(4, 1), lr[0].repeat(4, 0).repeat(4, 1))
    rng = np.random.default_rng(0)
    assert len({pair.turned(rng).lr[0, ..., 0].tobytes() for _ in range(200)}) == 8


def test_stills_and_clips_alternate_and_come_from_gt_as_the_stage_says(folder, source):
    pairs = PairSource(folder)

    def kinds(stage: Distillation) -> list[str]:
        batches = [draw_taught(stage, pairs, source, StepRng(0, step)) for step in range(20)]
        return [f"{type(batch).__name__} {batch.lr.shape[2]}" for batch in batches]

    assert kinds(STAGE) == ["PairBatch 1", "PairBatch 4"] * 10
    gt = dataclasses.replace(STAGE, gt_reconstruction=ReconstructionConfig())
    assert kinds(gt) == ["PairBatch 1", "Batch 9"] * 10
    mixed = kinds(dataclasses.replace(gt, gt_stills=0.5))
    assert set(mixed[::2]) == {"PairBatch 1", "Batch 1"} and set(mixed[1::2]) == {"Batch 9"}


def test_the_loss_is_the_distance_from_the_taught_frame_and_less_from_gt(folder):
    model = tiny_model()
    batch = PairSource(folder).draw(StepRng(0, 1), 2, stills=False)
    output = DistillationLoss(model, STAGE, {})(batch, StepRng(0, 1), model)
    sr = model.decoder(batch.lr, None)[:, :, 2:3]
    edges = charbonnier(high_pass(sr[:, :, 0]), high_pass(batch.sr[:, :, 0]))
    wanted = 0.8 * charbonnier(sr, batch.sr) + edges + 0.2 * charbonnier(sr, batch.gt)
    assert torch.allclose(output.loss, wanted, atol=1e-5)
    output.loss.backward()
    assert model.decoder.stem.weight.grad.abs().max() > 0
    assert all(value.grad is None for value in model.transformer.parameters())


def test_clips_of_the_data_are_compared_with_gt_alone(source):
    stage = dataclasses.replace(STAGE, gt_reconstruction=ReconstructionConfig(pixel=2.0), latent_dropout=1.0)
    model, batch = tiny_model(), source.batch(np.random.default_rng(0), 2, 9)
    assert isinstance(batch, Batch)
    output = DistillationLoss(model, stage, {})(batch, StepRng(0, 1), model)
    zeros = torch.zeros(2, model.config.latent_channels, 2, 2, 2)
    sr = model.decoder(batch.lr, zeros, torch.zeros(2, dtype=torch.bool))
    assert torch.allclose(output.loss, 2 * charbonnier(sr, batch.gt), atol=1e-5)


def test_fine_is_nothing_of_flat_frames_and_all_of_a_checkerboard():
    assert high_pass(torch.full((1, 3, 16, 16), 0.3)).abs().max() < 1e-6
    board = ((torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2.0 - 1).expand(1, 1, 16, 16)
    assert torch.allclose(high_pass(board)[..., 2:-2, 2:-2], board[..., 2:-2, 2:-2], atol=0.05)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sr": np.zeros((60, 64, 3), np.uint8)}, "not 4 times as large as LR frames of 16x16"),
        ({"gt": np.zeros((64, 64, 3), np.float32)}, "uint8"),
        ({"lr": np.array([{}])}, "not a pair"),
        ({"lr": np.zeros((1, 16, 8, 3), np.uint8)}, "not square"),
    ],
)
def test_what_is_no_pair_is_named(tmp_path, changes, message):
    save(tmp_path / "still-0.npz", 1, **changes)
    with pytest.raises(ValueError, match=f"still-0.npz: .*{message}.*remove it"):
        read(tmp_path / "still-0.npz")
    (tmp_path / "still-1.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(ValueError, match="still-1.npz: not a pair"):
        read(tmp_path / "still-1.npz")


def taught_words(words: list[str], folder) -> list[str]:
    """The words of a training whose recipe has a second stage that learns from pairs."""
    stage = {"kind": "distillation", "start": "regression", "trained": ["decoder"], "crop": 32, "batch": BATCH}
    stage |= {"loop": LOOP, "reconstruction": {"fine": 1.0}, "gt_reconstruction": {"temporal": 1.0}, "gt_stills": 0.3}
    recipe = RECIPE | {"stages": {"regression": RECIPE["stages"]["regression"], "taught": stage}}
    mine = folder / "mine"
    (mine / "recipe").mkdir(parents=True)
    (mine / "model").symlink_to(f"{words[1]}/model")
    (mine / "recipe" / "mini.yaml").write_text("# @package _global_\n" + OmegaConf.to_yaml(recipe))
    return ["--config-dir", str(mine), *words[2:]]


def test_a_stage_learns_from_pairs_and_says_where_they_are_missing(words, train, folder, tmp_path):
    words = [*taught_words(words, tmp_path), f"out={tmp_path / 'out'}", "vgg=''", "dists=''"]
    answer = train(*words)
    assert answer.code == 3 and "pairs=: no pairs here; `python -m studies.pairs` writes" in answer.err
    assert not (tmp_path / "out").exists()  # before the first stage
    (tmp_path / "stills").mkdir()
    save(tmp_path / "stills" / "still-0.npz", 1)
    without_gt = ["stages.taught.gt_reconstruction=null", "stages.taught.gt_stills=0"]
    answer = train(*words, f"pairs={tmp_path / 'stills'}", *without_gt)
    assert answer.code == 3 and "no clips among these pairs, which every other step needs" in answer.err
    assert not (tmp_path / "out").exists()
    answer = train(*words, f"pairs={folder}")
    assert answer.code == 0 and "6 pairs, 3 of them clips" in answer.err
    assert (tmp_path / "out" / "taught.safetensors").is_file()
    log = (tmp_path / "out" / "taught" / "log.jsonl").read_text()
    assert '"taught fine"' in log and '"temporal"' in log and '"gt"' in log


def test_only_the_decoder_can_be_taught():
    with pytest.raises(ValueError, match="trained must be"):
        dataclasses.replace(STAGE, trained=("decoder", "projection"))
    with pytest.raises(ValueError, match="gt_stills needs gt_reconstruction"):
        dataclasses.replace(STAGE, gt_stills=0.5)


def test_the_loss_from_gt_needs_a_crop_that_its_terms_can_see():
    for term in (ReconstructionConfig(lattice=1.0), ReconstructionConfig(jitter=True)):
        with pytest.raises(ValueError, match="crop must be at least 64 with gt_reconstruction"):
            dataclasses.replace(STAGE, crop=32, gt_reconstruction=term)


def test_pairs_to_a_device_stay_whole(folder):
    batch = PairSource(folder).draw(StepRng(0, 0), 2, True)
    moved = batch.to(torch.device("cpu"))
    assert isinstance(moved, PairBatch) and len(moved) == 2 and torch.equal(moved.sr, batch.sr)
