"""Muon over a model's matrices and convolutions, AdamW over the rest."""

from __future__ import annotations

import copy

import torch
from torch import nn

from turbovsr.train.optimizer import MuonWithAdamW, build


def gradients(parameters: list[nn.Parameter], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def steps(optimizer, parameters: list[nn.Parameter], count: int = 3) -> None:
    for step in range(count):
        optimizer.zero_grad()
        gradients(parameters, step)
        optimizer.step()


def layers() -> list[nn.Parameter]:
    torch.manual_seed(0)
    return [nn.Parameter(torch.randn(shape)) for shape in ((16, 24), (16,), (4, 32))]


def test_matrices_are_torchs_muon_and_the_rest_is_adamw():
    ours, theirs = layers(), layers()
    steps(MuonWithAdamW(ours, 1e-2, 0.1), ours)
    settings = {"lr": 1e-2, "weight_decay": 0.1}
    matrix, *others = theirs  # a matrix of four rows is among the others
    muon = torch.optim.Muon([matrix], adjust_lr_fn="match_rms_adamw", **settings)
    adamw = torch.optim.AdamW(others, betas=(0.9, 0.99), **settings)
    for step in range(3):
        gradients(theirs, step)
        muon.step()
        adamw.step()
    assert all(map(torch.equal, ours, theirs))


def test_a_convolution_learns_as_the_matrix_of_its_outputs_in_any_memory_format():
    torch.manual_seed(1)
    weight = torch.randn(16, 8, 3, 3)
    plain = nn.Parameter(weight.clone())
    innermost = nn.Parameter(weight.clone(memory_format=torch.channels_last))
    matrix = nn.Parameter(weight.flatten(1).clone())
    for parameter in (plain, innermost):
        optimizer = MuonWithAdamW([parameter], 1e-2, 0.0)
        steps(optimizer, [parameter], 1)
    gradient = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    matrix.grad = gradient.flatten(1)
    torch.optim.Muon([matrix], lr=1e-2, weight_decay=0.0, adjust_lr_fn="match_rms_adamw").step()
    assert torch.equal(plain.flatten(1), matrix)
    assert torch.allclose(innermost, plain, atol=2e-5)  # its columns are in another order, in bfloat16
    assert not torch.equal(plain, weight)


def test_its_state_comes_back():
    first, second = layers(), layers()
    one = build("muon", first, 1e-2, 0.0)
    steps(one, first, 2)
    other = build("muon", second, 1e-2, 0.0)
    for parameter, value in zip(second, first):
        parameter.data.copy_(value)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for optimizer, parameters in ((one, first), (other, second)):
        gradients(parameters, 7)
        optimizer.step()
    assert all(map(torch.equal, first, second))


def test_a_parameter_without_a_gradient_stays():
    parameters = layers()
    before = [parameter.clone() for parameter in parameters]
    optimizer = MuonWithAdamW(parameters, 1e-2, 0.0)
    parameters[1].grad = torch.ones(16)
    optimizer.step()
    assert [torch.equal(a, b) for a, b in zip(parameters, before)] == [True, False, True]
