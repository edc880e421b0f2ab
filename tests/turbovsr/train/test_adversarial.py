"""The adversarial loss: both networks learn from it, and both resume after an interruption."""

import pytest
import torch

from tests.turbovsr.conftest import TINY
from turbovsr.model import Model
from turbovsr.train.adversarial import AdversarialLoss
from turbovsr.train.batch import Batch
from turbovsr.train.loop import Loop
from turbovsr.train.losses import LossOutput
from turbovsr.train.options import GanConfig, LoopConfig

CPU = torch.device("cpu")
LR = torch.rand(1, 3, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
GT = torch.rand(1, 3, 1, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def draw(rng) -> Batch:
    return Batch(GT, LR)


def loss_of(model: Model):
    def loss(batch, rng, ema):
        sr = model.decoder(batch.lr, None)
        pixel = (sr - batch.gt).abs().mean()
        return LossOutput(pixel, {"pixel": pixel.detach()}, sr)

    return loss


def new_loop(folder, **gan) -> Loop:
    torch.manual_seed(0)
    model = Model(TINY)
    adversarial = AdversarialLoss(GanConfig(width=4, weight=0.1, **gan), CPU)
    config = LoopConfig(steps=6, learning_rate=1e-3, warmup=0, save_every=2, log_every=1)
    return Loop(model, ["decoder"], config, folder, adversarial)


def test_the_discriminator_learns_to_tell_real_frames_from_others():
    torch.manual_seed(0)
    adversarial = AdversarialLoss(GanConfig(width=8, learning_rate=2e-3), CPU)
    fake, real = torch.zeros(2, 3, 32, 32), GT[:, :, 0].repeat(2, 1, 1, 1)
    first = adversarial.discriminator_step(fake, real).item()
    for _ in range(30):
        last = adversarial.discriminator_step(fake, real).item()
    assert last < 0.5 * first
    assert adversarial.discriminator(real).mean() > adversarial.discriminator(fake).mean()


def test_the_model_is_led_to_higher_scores_and_the_discriminator_learns_nothing_from_it():
    torch.manual_seed(0)
    adversarial = AdversarialLoss(GanConfig(width=4), CPU)
    discriminator = adversarial.discriminator
    before = [value.clone() for value in discriminator.state_dict().values()]
    sr = (0.5 * GT[:, :, 0]).requires_grad_()
    adversarial.generator_loss(sr).backward()
    assert all(map(torch.equal, before, discriminator.state_dict().values()))
    assert all(p.grad is None and p.requires_grad for p in discriminator.parameters())
    discriminator.eval()
    assert discriminator(sr - 0.01 * sr.grad.sign()).mean() > discriminator(sr).mean()


def test_both_networks_are_trained_and_the_model_learns_from_the_discriminator(tmp_path):
    loop = new_loop(tmp_path / "with")
    before = [p.clone() for p in loop.adversarial.discriminator.parameters()]
    loop.run(loss_of(loop.model), draw)
    assert any(not torch.equal(a, b) for a, b in zip(before, loop.adversarial.discriminator.parameters()))
    late = new_loop(tmp_path / "late", start=6)
    untouched = [p.clone() for p in late.adversarial.discriminator.parameters()]
    late.run(loss_of(late.model), draw)
    assert all(torch.equal(a, b) for a, b in zip(untouched, late.adversarial.discriminator.parameters()))
    pairs = zip(loop.model.decoder.parameters(), late.model.decoder.parameters())
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_an_interrupted_training_with_a_discriminator_ends_with_the_same_bits(tmp_path):
    unbroken = new_loop(tmp_path / "unbroken")
    unbroken.run(loss_of(unbroken.model), draw)
    broken = new_loop(tmp_path / "broken")
    compute = loss_of(broken.model)

    def stopping(batch, rng, ema):
        if rng.step == 5:
            raise KeyboardInterrupt
        return compute(batch, rng, ema)

    try:
        broken.run(stopping, draw)
    except KeyboardInterrupt:
        resumed = new_loop(tmp_path / "broken")
    resumed.run(loss_of(resumed.model), draw)
    for a, b in (
        (unbroken.model, resumed.model),
        (unbroken.adversarial.discriminator, resumed.adversarial.discriminator),
    ):
        assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))


def test_a_resumed_discriminator_has_the_learning_rate_that_is_asked_for_now(tmp_path):
    loop = new_loop(tmp_path, learning_rate=1e-3)
    loop.run(loss_of(loop.model), draw)
    (group,) = new_loop(tmp_path, learning_rate=1e-5).adversarial.optimizer.param_groups
    assert group["lr"] == 1e-5


def test_a_discriminator_that_diverges_is_an_error_and_keeps_its_weights():
    adversarial = AdversarialLoss(GanConfig(width=4), CPU)
    before = [p.clone() for p in adversarial.discriminator.parameters()]
    with pytest.raises(ValueError, match="gan.learning_rate"):
        adversarial.discriminator_step(torch.full((1, 3, 32, 32), torch.nan), GT[:, :, 0])
    assert all(torch.equal(a, b) for a, b in zip(before, adversarial.discriminator.parameters()))
