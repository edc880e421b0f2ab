"""Muon over a model's matrices and convolutions, AdamW over the rest."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import turbovsr.train.muon as muon_module
from turbovsr.train.muon import orthogonalized
from turbovsr.train.optimizer import MuonWithAdamW, build

JORDAN = (3.4445, -4.775, 2.0315)  # torch's coefficients


@pytest.fixture
def native(monkeypatch):
    """This machine counts as one that computes bfloat16 natively."""
    monkeypatch.setattr(muon_module, "native_bfloat16", lambda device: True)


@pytest.fixture
def emulated(monkeypatch):
    """This machine counts as one that emulates bfloat16."""
    monkeypatch.setattr(muon_module, "native_bfloat16", lambda device: False)


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


def test_matrices_are_torchs_muon_and_the_rest_is_adamw(native):
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


def test_a_convolution_learns_as_the_matrix_of_its_outputs_in_any_memory_format(native):
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


def test_without_native_bfloat16_a_step_is_torchs_but_for_its_rounding(emulated):
    torch.manual_seed(2)
    ours = [nn.Parameter(torch.randn(shape)) for shape in ((16, 24), (40, 12))]
    theirs = [nn.Parameter(parameter.detach().clone()) for parameter in ours]
    start = [parameter.detach().clone() for parameter in ours]
    steps(MuonWithAdamW(ours, 1e-2, 0.1), ours)
    steps(torch.optim.Muon(theirs, lr=1e-2, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"), theirs)
    for our, their, before in zip(ours, theirs, start):
        assert (our - their).norm() < 0.02 * (their - before).norm()  # bfloat16 has 8 bits
        assert not torch.equal(our, their)


@pytest.mark.parametrize("shape", [(12, 40), (40, 12)])
def test_orthogonalized_keeps_singular_vectors_and_brings_singular_values_near_one(shape):
    torch.manual_seed(3)
    matrix = torch.randn(shape)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    in_its_vectors = left.T @ orthogonalized(matrix, JORDAN, 5, 1e-7) @ right.T
    values = in_its_vectors.diagonal()
    assert torch.allclose(in_its_vectors, values.diag(), atol=1e-5)
    assert values.min() > 0.6 and values.max() < 1.3


def test_a_checkpoint_goes_from_one_kind_of_machine_to_the_other(monkeypatch):
    monkeypatch.setattr(muon_module, "native_bfloat16", lambda device: False)
    moved, stayed = layers(), layers()
    first, undisturbed = build("muon", moved, 1e-2, 0.0), build("muon", stayed, 1e-2, 0.0)
    for optimizer, parameters in ((first, moved), (undisturbed, stayed)):
        steps(optimizer, parameters, 2)
    second = build("muon", moved, 1e-2, 0.0)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    before = moved[0].detach().clone()
    steps(undisturbed, stayed, 1)
    monkeypatch.setattr(muon_module, "native_bfloat16", lambda device: True)
    steps(second, moved, 1)
    assert (moved[0] - stayed[0]).norm() < 0.02 * (stayed[0] - before).norm()


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
