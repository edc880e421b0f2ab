"""Validation in LTX's latent space."""

import torch

from turbovsr.ltx import presets
from turbovsr.train.ltx.validate import outputs


def test_clips_are_sampled_as_they_are_trained(monkeypatch):
    model, _ = presets.build("2b-tiny", "paper")
    tasks, velocity = [], model.velocity

    def noting(condition, task, clean=None):
        tasks.append((task.frames, task.given))
        return velocity(condition, task, clean)

    monkeypatch.setattr(model, "velocity", noting)
    random = torch.Generator().manual_seed(0)
    gt, lr = (torch.rand(1, 3, 9, side, side, generator=random) * 2 - 1 for side in (32, 8))
    with torch.no_grad():
        given, at_once = (outputs(model, lr, gt, first_given) for first_given in (True, False))
    assert tasks == 3 * [(1, 0), (2, 1)] + 3 * [(2, 0)]
    assert given.keys() == at_once.keys() and not torch.equal(given["1 steps"], at_once["1 steps"])
