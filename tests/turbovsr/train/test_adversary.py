"""The optional adversary: it learns, the model hears it, and both come back after an interruption."""

import torch

from tests.turbovsr.conftest import TINY
from turbovsr.model import Model
from turbovsr.train.adversary import Adversary, GanConfig
from turbovsr.train.loop import Loop, LoopConfig

CPU = torch.device("cpu")
LR = torch.rand(1, 3, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
GT = torch.rand(1, 3, 1, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


def losses_of(model: Model):
    def losses(random, ema):
        sr = model.decoder(LR, None)
        pixel = (sr - GT).abs().mean()
        return {"loss": pixel, "pixel": pixel.detach(), "pair": (sr, GT)}

    return losses


def new_loop(folder, **gan) -> Loop:
    torch.manual_seed(0)
    model = Model(TINY)
    adversary = Adversary(GanConfig(width=4, weight=0.1, **gan), CPU) if gan is not None else None
    config = LoopConfig(steps=6, learning_rate=1e-3, warmup=0, save_every=2, log_every=1)
    return Loop(model, ["decoder"], config, folder, adversary)


def test_the_critic_learns_to_tell_real_frames_from_others():
    torch.manual_seed(0)
    adversary = Adversary(GanConfig(width=8, learning_rate=2e-3), CPU)
    fake, real = torch.zeros(2, 3, 32, 32), GT[:, :, 0].repeat(2, 1, 1, 1)
    first = adversary.learn(fake, real)["critic"].item()
    for _ in range(30):
        last = adversary.learn(fake, real)["critic"].item()
    assert last < 0.5 * first
    assert adversary.critic(real).mean() > adversary.critic(fake).mean()


def test_both_networks_are_trained_and_the_model_hears_the_critic(tmp_path):
    loop = new_loop(tmp_path / "with")
    before = [p.clone() for p in loop.adversary.critic.parameters()]
    loop.run(losses_of(loop.model))
    assert any(not torch.equal(a, b) for a, b in zip(before, loop.adversary.critic.parameters()))
    late = new_loop(tmp_path / "late", start=6)
    untouched = [p.clone() for p in late.adversary.critic.parameters()]
    late.run(losses_of(late.model))
    assert all(torch.equal(a, b) for a, b in zip(untouched, late.adversary.critic.parameters()))
    pairs = zip(loop.model.decoder.parameters(), late.model.decoder.parameters())
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_an_interrupted_run_with_an_adversary_ends_with_the_same_bits(tmp_path):
    unbroken = new_loop(tmp_path / "unbroken")
    unbroken.run(losses_of(unbroken.model))
    broken = new_loop(tmp_path / "broken")
    compute = losses_of(broken.model)

    def stopping(random, ema):
        if random.step == 5:
            raise KeyboardInterrupt
        return compute(random, ema)

    try:
        broken.run(stopping)
    except KeyboardInterrupt:
        resumed = new_loop(tmp_path / "broken")
    resumed.run(losses_of(resumed.model))
    for a, b in ((unbroken.model, resumed.model), (unbroken.adversary.critic, resumed.adversary.critic)):
        assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))
