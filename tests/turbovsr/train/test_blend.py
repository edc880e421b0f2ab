"""Weights between those of two stages."""

import pytest
import torch

from tests.turbovsr.conftest import TINY
from turbovsr import checkpoints
from turbovsr.model import Model, ModelConfig
from turbovsr.train.blend import main


def write(path, config: ModelConfig, seed: int) -> Model:
    torch.manual_seed(seed)
    model = Model(config)
    checkpoints.save(model, path, torch.float32)
    return model


def test_blend_lies_between_the_two_by_its_share(tmp_path):
    first, second = (write(tmp_path / f"{name}.safetensors", TINY, seed) for name, seed in (("a", 0), ("b", 1)))
    assert main([*(str(tmp_path / f"{n}.safetensors") for n in "ab"), "0.25", str(tmp_path / "c.safetensors")]) == 0
    blended, metadata = checkpoints.load(tmp_path / "c.safetensors")
    assert metadata["share"] == "0.25"
    for name, value in blended.named_parameters():
        expected = 0.75 * first.get_parameter(name) + 0.25 * second.get_parameter(name)
        torch.testing.assert_close(value, expected, msg=name)


@pytest.mark.parametrize("share, names, said", [("1.5", "aa", "0..1"), ("0.5", "ax", "no such weights")])
def test_what_cannot_be_blended_is_one_clear_line(tmp_path, capsys, share, names, said):
    write(tmp_path / "a.safetensors", TINY, 0)
    assert main([*(str(tmp_path / f"{n}.safetensors") for n in names), share, str(tmp_path / "c.safetensors")]) == 3
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and not (tmp_path / "c.safetensors").exists()
