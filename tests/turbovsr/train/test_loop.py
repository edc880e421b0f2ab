"""One step of the loop against torch's own parts: rate, clipping, optimizer, average of the weights."""

from unittest.mock import Mock

import torch

from tests.turbovsr.conftest import TINY
from turbovsr.model import Model
from turbovsr.train.batch import Batch
from turbovsr.train.loop import Loop, learning_rate
from turbovsr.train.losses import LossOutput
from turbovsr.train.options import LoopConfig


def test_a_step_has_the_rate_of_its_number_and_a_clipped_gradient_and_the_average_follows(tmp_path):
    head = (model := Model(TINY)).decoder.head
    ours, average = (torch.cat([p.detach().flatten() for p in head.parameters()]) for _ in "ab")
    ours.requires_grad_()
    config = LoopConfig(steps=3, learning_rate=0.1, warmup=2, clip_gradient=0.5, weight_decay=0.1, ema_decay=0.15)

    def error(values, step):
        return (values - 1).square().sum() * (1e-4, 1, 1)[step]  # only in later steps is its gradient clipped

    def loss(batch, rng, ema):
        return LossOutput(sum(error(p, rng.step) for p in head.parameters()))

    batch = Batch(torch.zeros(1, 3, 1, 32, 32), torch.zeros(1, 3, 1, 8, 8))
    ema = Loop(model, ["decoder.head"], config, tmp_path).run(loss, lambda rng: batch)
    adamw = torch.optim.AdamW([ours], betas=(0.9, 0.99), weight_decay=0.1)
    for step, decay in enumerate((1 / 10, 0.15, 0.15)):  # a young average forgets faster: (1+n)/(10+n)
        adamw.param_groups[0]["lr"] = learning_rate(config, step)
        adamw.zero_grad()
        error(ours, step).backward()
        torch.nn.utils.clip_grad_norm_([ours], 0.5)
        adamw.step()
        average = decay * average + (1 - decay) * ours.detach()
    for trained, expected in ((head, ours), (ema.decoder.head, average)):
        assert torch.allclose(torch.cat([p.flatten() for p in trained.parameters()]), expected, atol=1e-6)


def test_out_of_memory_names_the_remedy(words, train, tmp_path, monkeypatch):
    monkeypatch.setattr(Loop, "_backward", Mock(side_effect=RuntimeError("can't allocate memory")))
    answer = train(*words, f"out={tmp_path}")
    assert answer.code == 3 and "out of memory; lower the stage's batch or crop (" in answer.err
