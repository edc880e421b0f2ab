"""Multiply-accumulate operations: of a network that can be counted by hand, and what is said where nothing can be."""

import json

import torch
import torch.nn.functional as F
from torchvision.ops import deform_conv2d

from bench.methods.arithmetic import count_macs
from bench.report.columns import FACTS, Fact
from bench.report.grid import figure
from bench.store.record import Record
from tests.bench.made_up import make


def network(lr: torch.Tensor) -> torch.Tensor:
    """3x3 convolution 3 -> 8, attention over the pixels with 2 heads of 4, a linear layer 8 -> 5, on each frame."""
    x = F.conv2d(lr.float(), torch.ones(8, 3, 3, 3), padding=1)
    tokens = x.flatten(2).transpose(1, 2).unflatten(2, (2, 4)).transpose(1, 2)
    tokens = F.scaled_dot_product_attention(tokens, tokens, tokens)
    return F.linear(tokens.transpose(1, 2).flatten(2), torch.ones(5, 8), torch.ones(5)).relu()


def test_a_network_counted_by_hand():
    frames, height, width = 3, 6, 10
    clip = torch.zeros(frames, 3, height, width, dtype=torch.uint8)
    pixels = height * width
    by_hand = frames * (pixels * 3 * 9 * 8 + 2 * (2 * pixels * pixels * 4) + pixels * 8 * 5)
    assert count_macs(lambda stages, warm_up: network(clip), "cpu").clip == by_hand


def test_a_deformable_convolution_counts_as_a_convolution():
    features, weight = torch.ones(1, 8, 6, 10), torch.ones(6, 4, 3, 3)
    offset = torch.zeros(1, 2 * 2 * 9, 6, 10)
    counted = count_macs(lambda stages, warm_up: deform_conv2d(features, offset, weight, padding=1), "cpu")
    assert counted.clip == 6 * 60 * 4 * 9


def test_what_cannot_be_counted_says_why():
    nothing = count_macs(lambda stages, warm_up: torch.zeros(1).relu(), "cpu")
    assert nothing.clip is None and nothing.reason.startswith("not countable: no convolution")

    def broken(stages, warm_up):
        raise RuntimeError("no such kernel")

    assert count_macs(broken, "cpu").reason == "not countable: RuntimeError: no such kernel"


def test_counting_draws_nothing_of_the_generator():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    count_macs(lambda stages, warm_up: torch.rand(9), "cpu")
    assert torch.equal(torch.rand(1), expected)


def test_records_and_tables_have_it(bench, clips, tmp_path):
    out = tmp_path / "run"
    words = ["data=folder", f"data.gt={clips}", "metrics=[psnr]", f"out={out}"]
    assert bench("run", "method=bicubic", "timing.repeats=1", *words).code == 0
    (first, second) = (json.loads(line) for line in (out / "records.jsonl").read_text().splitlines())
    assert first["macs"] == second["macs"] > 0 and first["macs_reason"] is None
    table = bench("table", out, "--columns", "parameters,macs,fps", "--format", "csv").out
    assert FACTS["macs"] in table and figure(first["macs"] / 3 / 1e9, None) in table
    answer = bench("run", "method=bicubic", "timing=once", "store=null", *words[:-1], f"out={tmp_path / 'once'}")
    assert answer.code == 0
    spared = json.loads((tmp_path / "once" / "records.jsonl").read_text().splitlines()[0])
    assert spared["macs"] is None and "more than timing.budget_s=0" in spared["macs_reason"]


def test_a_table_shows_figures_dashes_and_what_is_not_countable():
    column = Fact("macs", FACTS["macs"])
    counted = make("model", "a", [30.0, 31.0], [1.0], macs=3_000_000_000)
    assert column.text([counted, make("model", "b", [30.0], [1.0])]) == "1.50"
    assert column.text([make("model", "a", [30.0], [1.0])]) == "–"
    assert column.text([make("model", "a", [30.0], [1.0], macs_reason="not countable: a program of its own")]) == (
        "not countable"
    )


def test_records_from_before_are_read():
    plain = make("model", "a", [30.0], [1.0]).to_json()
    del plain["macs"], plain["macs_reason"]
    assert Record.from_json(plain).macs is None
