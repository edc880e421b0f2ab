"""Checkpoints in parts: whole, kept, and read as data."""

import os
import pickle

import pytest
import torch

from frames.errors import UserError
from tests.full_disk import largest_file
from turbovsr.train.ltx import parts


class Payload:
    """Pickled, it is a call that makes a folder."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (str(self.canary),)


def state(value: float) -> dict:
    return {"model": {"weight": torch.full((4, 3), value)}, "optimizer": {"lr": value, "betas": (0.9, value)}}


@pytest.mark.filterwarnings("ignore:torch.distributed")
def test_a_state_is_read_back_and_the_last_ones_are_kept(tmp_path):
    for step in (1, 2, 3):
        parts.save(tmp_path, step, state(step), keep_last=2)
    parts.save(tmp_path, 3, state(3), keep_last=2)  # stopped right after a save
    assert parts.saved_steps(tmp_path) == [2, 3] and not list(tmp_path.glob("*.partial"))
    found = state(0)
    parts.load(tmp_path, 2, found)
    assert torch.equal(found["model"]["weight"], torch.full((4, 3), 2.0))
    assert found["optimizer"] == {"lr": 2, "betas": (0.9, 2)}


@pytest.mark.filterwarnings("ignore:torch.distributed")
@pytest.mark.parametrize("size", [2**9, 2**14])
def test_a_full_disk_is_one_line_and_keeps_the_checkpoints_before(size, tmp_path):
    parts.save(tmp_path, 1, state(1), keep_last=2)
    large = {"model": {str(index): torch.ones(2**12) for index in range(4)}}
    with largest_file(size), pytest.raises(UserError, match=r"0000002: .* could not be written .* free some space"):
        parts.save(tmp_path, 2, large, keep_last=2)
    assert [path.name for path in tmp_path.iterdir()] == ["0000001"]


@pytest.mark.filterwarnings("ignore:torch.distributed")
def test_nothing_in_a_checkpoint_runs(tmp_path):
    canary, refused = tmp_path / "canary", "damaged, or saved with another model"
    parts.save(tmp_path, 1, state(1) | {"optimizer": {"lr": Payload(canary), "betas": 0}}, keep_last=9)
    with pytest.raises(ValueError, match=refused):
        parts.load(tmp_path, 1, state(0))
    parts.save(tmp_path, 2, state(1), keep_last=9)
    (tmp_path / "0000002" / ".metadata").write_bytes(pickle.dumps(Payload(canary)))
    with pytest.raises(ValueError, match=refused):
        parts.load(tmp_path, 2, state(0))
    assert not canary.exists()
