"""The compute budget against counts made independently of this code (FACTS: 49 frames at 1088x1920, bf16, TFLOP)."""

import json

import pytest
import torch

from turbovsr import budget
from turbovsr.ltx import presets
from turbovsr.pipeline import TurboVSR
from turbovsr.transformer import Transformer


@pytest.fixture(scope="module")
def paper():
    return budget.budget(path="paper")


def test_paper_path_costs_what_was_counted_elsewhere(paper):
    expected = {"condition": 84.6, "first frame": 7.8, "clip": 94.2, "decode": 90.4}
    assert paper.stages == pytest.approx(expected, rel=0.02)
    assert paper.tokens == 14280


def test_turbo_needs_less_than_45_percent_and_with_local_attention_less_than_30(paper):
    local = budget.budget(path="turbo")
    assert local.total < 0.30 * paper.total
    # Without the windows the transformer costs what it does on the paper path.
    full = local.stages | {name: paper.stages[name] for name in ("first frame", "clip")}
    assert sum(full.values()) < 0.45 * paper.total


def test_plain_ltx_2b_has_its_1_923_385_472_weights():
    config = presets.configure("2b", "paper", prompt_tokens=128)
    shape = config.transformer_width, config.transformer_depth, config.transformer_heads
    with torch.device("meta"):
        plain = Transformer(128, 0, *shape, None, text_channels=config.prompt_channels, step_embedding=False)
    assert sum(value.numel() for value in plain.parameters()) == 1_923_385_472


def test_sizes_are_padded_and_steps_multiply():
    one, two = (budget.budget((250, 250), 3, steps, "nano") for steps in (1, 2))
    assert (one.height, one.width, one.frames, one.tokens) == (256, 256, 9, 128)
    assert two.stages["clip"] == pytest.approx(2 * one.stages["clip"])
    assert two.stages["decode"] == one.stages["decode"]


def test_nano_is_the_shipped_one():
    parameters = budget.budget((64, 64), 1, model="nano").parameters
    assert sum(parameters.values()) == TurboVSR("nano").descriptor.parameters


def test_command_prints_a_table_or_json(capsys):
    command = ["--model", "2b-tiny", "--size", "64x96", "--frames", "9"]
    assert budget.main(command) == 0
    table = capsys.readouterr().out
    assert "turbo needs" in table and "12 tokens" in table
    assert budget.main([*command, "--path", "turbo", "--no-text", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["path"] == "turbo" and found["total"] == pytest.approx(sum(found["stages"].values()))


def test_command_refuses_what_it_cannot_count(capsys):
    assert budget.main(["--model", "nano", "--path", "paper"]) == 3
    assert "path=turbo alone" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="3"):
        budget.main(["--size", "large"])
    assert "HEIGHTxWIDTH" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="3"):
        budget.main(["--frames", "0"])
    assert "--frames 0" in capsys.readouterr().err
    assert budget.main(["--window", "²"]) == 3 and "²" in capsys.readouterr().err
