"""The training budget: activations against what torch keeps of real tensors, memory and arithmetic against FACTS."""

import json

import pytest
import torch

from turbovsr import budget
from turbovsr.ltx.model import LTXModel
from turbovsr.train.ltx.activations import SavedBytes, activation_bytes, saved_by
from turbovsr.train.ltx.options import LTXModelOptions


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("width, shape", [(48, (2, 4, 4)), (96, (3, 6, 8))])
def test_activations_are_those_of_real_tensors_within_10_percent(width, shape, checkpointing):
    config = LTXModelOptions(size="2b-tiny", transformer_width=width, transformer_depth=5).config()
    model = LTXModel(config)
    model.transformer.checkpointing = checkpointing
    measured = saved_by(model, shape, 2, torch.float32)
    if checkpointing:  # going backward, one block is computed again and keeps what it kept
        measured += block_bytes(model, shape, samples=2)
    counted = activation_bytes(config, shape, 2, torch.float32, checkpointing)
    assert counted == pytest.approx(measured, rel=0.1)


def block_bytes(model: LTXModel, shape: tuple[int, int, int], samples: int) -> int:
    """What one block keeps, measured by calling it alone."""
    transformer = model.transformer
    x = torch.zeros(samples, *shape, transformer.width, requires_grad=True)
    modulation = torch.zeros(samples, *shape, 6, transformer.width, requires_grad=True)[:, :, :1, :1]
    rotation, windows = transformer.token_grid(shape, x)
    saved = SavedBytes(transformer.parameters())
    with saved:
        transformer.blocks[0](x, modulation, rotation, windows[0], None)
    return saved.total


def test_the_full_size_costs_what_was_counted_elsewhere(capsys):
    """FACTS: 168 kB a token and block, a checkpointed step of a clip about 377 TFLOP, 35.8 GiB of state on one card."""
    settings = ["stages.condition.batch.images=1", "stages.condition.batch.clips=1", "stages.condition.loop.steps=1"]
    assert budget.main(["--train", "--gpus", "1", "--text", "--json", *settings]) == 0
    found = json.loads(capsys.readouterr().out)
    a_token_and_block = found["activations_gib"]["without"] * 2**30 / found["tokens"] / 28
    assert a_token_and_block == pytest.approx(168e3, rel=0.1)
    state = sum(found["memory_gib"][name] for name in ("weights", "gradients", "optimizer", "EMA"))
    assert found["parameters"] == pytest.approx(1.923e9, rel=0.01) and state == pytest.approx(35.8, rel=0.01)
    assert found["stages"]["condition"]["tflop_a_step"] == pytest.approx((377 + 4 * 7.8) / 2, rel=0.05)


def test_more_cards_hold_less_each_and_send_more(capsys):
    assert budget.main(["--train", "--model", "2b-tiny", "--size", "64x64x9", "--gpus", "8", "--json"]) == 0
    eight = json.loads(capsys.readouterr().out)
    assert budget.main(["--train", "--model", "2b-tiny", "--size", "64x64x9", "--gpus", "1"]) == 0
    alone = capsys.readouterr().out
    assert "memory of a card" in alone and "all stages: " in alone
    assert eight["stages"]["shortcut"]["sent_gb_a_step"] > 0
    assert eight["memory_gib"]["optimizer"] == pytest.approx(2 * eight["memory_gib"]["weights"])


def test_larger_micro_batches_send_less_and_steps_without_stills_cost_more(capsys):
    def cost(*words: str) -> dict:
        assert budget.main(["--train", "--model", "2b-tiny", "--size", "64x64x9", "--gpus", "8", "--json", *words]) == 0
        return json.loads(capsys.readouterr().out)

    one, four = cost(), cost("--micro-batch", "4")
    by_recipe = cost("stages.condition.micro_batch=4", "stages.shortcut.micro_batch=4")
    assert one["micro_batch"] == 1 and four == by_recipe and four["micro_batch"] == 4
    assert four["memory_gib"]["activations"] > one["memory_gib"]["activations"]
    for name, stage in four["stages"].items():
        assert 4 * stage["sent_gb_a_step"] == pytest.approx(one["stages"][name]["sent_gb_a_step"])
    clips = cost("stages.condition.stills=false")["stages"]["condition"]["tflop_a_step"]
    assert clips > 1.2 * one["stages"]["condition"]["tflop_a_step"]


def test_a_wrong_size_is_one_line(capsys):
    assert budget.main(["--train", "--size", "large"]) == 3
    assert "bucket 'large': HEIGHTxWIDTHxFRAMES" in capsys.readouterr().err
