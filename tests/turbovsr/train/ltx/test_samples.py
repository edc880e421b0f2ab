"""The samples of a step do not depend on how many processes share them."""

import pytest
import torch

from frames.errors import UserError
from turbovsr.train.data_options import BatchConfig
from turbovsr.train.ltx import samples
from turbovsr.train.ltx.latents import LatentFolder, check_manifest
from turbovsr.train.ltx.options import Shortcut
from turbovsr.train.options import LoopConfig
from turbovsr.train.rng import StepRng


def stage(images=8, micro_batch=1) -> Shortcut:
    batch = BatchConfig(images=images, clips=8, frames=9)
    return Shortcut(
        kind="shortcut",
        loop=LoopConfig(steps=1, learning_rate=1),
        batch=batch,
        micro_batch=micro_batch,
        bootstrap=0.375,
    )


@pytest.fixture
def source(latents) -> LatentFolder:
    import json

    return LatentFolder([latents], json.loads((latents / "latents.json").read_text()))


def drawn(monkeypatch, source, step: int, processes: int, micro_batch: int = 1) -> list[samples.SampleBatch]:
    """The batch of each process."""
    found = []
    for rank in range(processes):
        monkeypatch.setattr(samples, "rank", lambda rank=rank: rank)
        monkeypatch.setattr(samples, "world_size", lambda: processes)
        found.append(samples.draw_step(stage(micro_batch=micro_batch), source, StepRng(0, step)))
    return found


@pytest.mark.parametrize("step, frames", [(0, 1), (1, 2)])
def test_four_processes_draw_what_one_draws(step, frames, source, monkeypatch):
    (alone,) = drawn(monkeypatch, source, step, 1)
    assert alone.latent_shape[0] == frames and len(alone) == 8 and sum(alone.is_shortcut) == 3
    shared = drawn(monkeypatch, source, step, 4)
    for rank, batch in enumerate(shared):
        assert batch.seeds == alone.seeds[rank::4] and batch.is_shortcut == alone.is_shortcut[rank::4]
        assert torch.equal(batch.target, alone.target[rank::4])
        assert torch.equal(batch.condition, alone.condition[rank::4])


@pytest.mark.parametrize("micro_batch", [1, 2])
def test_processes_agree_on_who_asks_the_ema_network(micro_batch, source, monkeypatch):
    batches = drawn(monkeypatch, source, 1, 4, micro_batch)
    parts = [batch.split() for batch in batches]
    for at_once in zip(*parts, strict=True):
        assert len({part.asks_ema for part in at_once}) == 1
        assert at_once[0].asks_ema[0] == any(any(part.is_shortcut) for part in at_once)
    assert [part.seeds for part in parts[0]] == [
        batches[0].seeds[i : i + micro_batch] for i in range(0, 2, micro_batch)
    ]


def test_batches_that_cannot_be_shared_evenly_are_refused(monkeypatch):
    monkeypatch.setattr(samples, "world_size", lambda: 3)
    with pytest.raises(UserError, match="batch.images=8 samples a step do not divide into 3 processes.*multiple of 3"):
        samples.check_batch(stage())


def test_latents_of_another_layout_are_named(latents):
    with pytest.raises(UserError, match=r"another autoencoder \(layout 0.9.0-tiny\) than the model's \(0.9.5\)"):
        check_manifest(latents, {"autoencoder": "0.9.5"})
