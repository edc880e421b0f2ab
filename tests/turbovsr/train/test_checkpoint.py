"""Checkpoints: written whole, and damage is one line that says what to remove."""

import pytest
import torch

from tests.full_disk import largest_file
from tests.turbovsr.conftest import TINY
from turbovsr.model import Model
from turbovsr.train import checkpoint
from turbovsr.train.loop import Loop
from turbovsr.train.options import LoopConfig

STATE = {"step": 3, "model": {"a": torch.arange(3)}, "ema": {}, "optimizer": {}}
CONFIG = LoopConfig(steps=4, learning_rate=1e-3)


def test_a_state_comes_back_and_nothing_else_lies_beside_it(tmp_path):
    checkpoint.save(tmp_path / "checkpoint.pt", STATE)
    state = checkpoint.load(tmp_path / "checkpoint.pt")
    assert state["step"] == 3 and torch.equal(state["model"]["a"], torch.arange(3))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_an_error_while_writing_keeps_the_previous_state(tmp_path, monkeypatch):
    checkpoint.save(tmp_path / "checkpoint.pt", STATE)

    def full(state, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(tmp_path / "checkpoint.pt", STATE | {"step": 9})
    assert checkpoint.load(tmp_path / "checkpoint.pt")["step"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("size", [2**14, 2**17, 2**18])
def test_a_full_disk_is_the_system_s_error_and_names_the_checkpoint(size, tmp_path):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, STATE)
    large = {str(index): torch.ones(2**14) for index in range(8)}
    with largest_file(size), pytest.raises(OSError) as caught:
        checkpoint.save(path, STATE | {"model": large})
    assert caught.value.filename == str(path) and checkpoint.load(path)["step"] == 3


def damaged(kind: str) -> bytes:
    if kind == "a pickle that runs code":
        return b"cos\nsystem\n(S'true'\ntR."
    return {"empty": b"", "text": b"not a checkpoint", "zip": b"PK\x03\x04" + bytes(100), "hollow": b"\x80\x02."}[kind]


@pytest.mark.parametrize("kind", ["empty", "text", "zip", "hollow", "a pickle that runs code"])
def test_a_damaged_checkpoint_is_one_line(kind, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(damaged(kind))
    with pytest.raises(ValueError, match="checkpoint.pt: damaged.*remove .* to start anew") as caught:
        checkpoint.load(tmp_path / "checkpoint.pt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("state", [[1, 2], {"step": 1}])
def test_another_file_of_torch_is_no_checkpoint(state, tmp_path):
    torch.save(state, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="checkpoint.pt: .*remove"):
        checkpoint.load(tmp_path / "checkpoint.pt")


def test_a_checkpoint_of_another_model_or_of_other_parts_is_one_line(tmp_path):
    Loop(Model(TINY), ["decoder"], CONFIG, tmp_path)._save()
    with pytest.raises(ValueError, match="saved with another model, other trained parts"):
        Loop(Model(TINY), ["encoder", "decoder"], CONFIG, tmp_path)
    other = Model(TINY.__class__(**(vars(TINY) | {"decoder_width": 16})))
    with pytest.raises(ValueError, match="saved with another model"):
        Loop(other, ["decoder"], CONFIG, tmp_path)
