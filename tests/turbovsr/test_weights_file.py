"""Weights files that are broken, foreign or hostile: one line that names the file, before anything large is done."""

import json
import os
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from frames.images import write_image
from turbovsr import TurboVSR, checkpoints, loading
from turbovsr.__main__ import main
from turbovsr.ltx import presets
from turbovsr.weights_file import mismatch


def rewritten(weights, path, state=None, **metadata):
    """A copy of a checkpoint with some of its metadata or tensors exchanged; None removes an entry."""
    header = checkpoints.read_header(weights)
    kept = {**header.metadata, "config": json.dumps(header.config)} | metadata
    tensors = load_file(str(weights)) | (state or {})
    save_file(
        {k: v for k, v in tensors.items() if v is not None}, str(path), {k: v for k, v in kept.items() if v is not None}
    )
    return path


def with_option(weights, path, **options):
    config = json.dumps(checkpoints.read_header(weights).config | options)
    return rewritten(weights, path, config=config)


@pytest.mark.parametrize(
    "metadata, complaint",
    [
        (dict(config=None), "no configuration in its metadata"),
        (dict(config="{"), "not readable as JSON"),
        (dict(config="[" * 100_000), "JSON"),
        (dict(config="[1]"), "no mapping of options"),
        (dict(kind="nona"), "of the kind nona"),
        (dict(kind="ltx"), "does not fit this version"),
        (dict(format=None), "not a TurboVSR checkpoint"),
    ],
)
def test_metadata_that_do_not_describe_a_model_are_one_error(weights, tmp_path, metadata, complaint):
    file = rewritten(weights, tmp_path / "bad.safetensors", **metadata)
    with pytest.raises(Exception, match=complaint) as error:
        loading.load(file)
    assert str(file) in str(error.value) and len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "option, value",
    [
        ("transformer_depth", 10**9),
        ("transformer_depth", -1),
        ("decoder_blocks", [10**9, 1]),
        ("decoder_blocks", [1]),
        ("decoder_blocks", "12"),
        ("transformer_width", 10**7),
        ("transformer_width", 24.0),
        ("transformer_width", 0),
        ("decoder_width", 0),
        ("decoder_head_width", 0),
        ("decoder_colours", [0, 2]),
        ("condition_channels", 0),
        ("encoder_widths", [8, 8, 12, 0]),
        ("transformer_width", True),
        ("transformer_width", None),
        ("transformer_heads", 0),
        ("transformer_heads", 5),
        ("latent_channels", 8),
        ("attention_window", 0),
        ("attention_window", -4),
        ("finest_steps", 12),
        ("shift_strength", float("nan")),
        ("shift_strength", -1.0),
        ("prediction_type", "noise"),
        ("consistent", 1),
        ("surprise", 1),
    ],
)
def test_absurd_options_are_refused_before_anything_is_built(weights, tmp_path, option, value):
    file = with_option(weights, tmp_path / "absurd.safetensors", **{option: value})
    with pytest.raises(ValueError, match="configuration") as error:
        loading.load(file)
    assert str(file) in str(error.value) and len(str(error.value)) < 500


def test_a_transformer_whose_channels_make_no_pairs_is_refused_with_its_file(weights, tmp_path):
    file = with_option(weights, tmp_path / "odd.safetensors", transformer_width=25, transformer_heads=5)
    with pytest.raises(ValueError, match="odd.safetensors: no model has its configuration .transformer_width=25"):
        loading.load(file)


def test_weights_of_another_type_or_not_finite_are_named(weights, tmp_path):
    name = "decoder.head.bias"
    for value, complaint in (
        (torch.zeros(48, dtype=torch.int8), "decoder.head.bias is of type I8"),
        (torch.zeros(48, dtype=torch.float8_e4m3fn), "decoder.head.bias is of type F8_E4M3"),
        (torch.full((48,), float("nan")), "decoder.head.bias has values that are not finite"),
    ):
        file = rewritten(weights, tmp_path / "wrong.safetensors", {name: value})
        with pytest.raises(ValueError, match=complaint):
            loading.load(file)


def test_pickles_are_refused_unread_and_pipes_do_not_hang(tmp_path):
    pickled, piped = tmp_path / "model.pth", tmp_path / "pipe.safetensors"
    torch.save({"weight": torch.zeros(1)}, pickled)
    os.mkfifo(piped)
    for load in (loading.load, lambda file: presets.build("2b-tiny", weights=file)):
        with pytest.raises(ValueError, match="pickled checkpoint, which could run code"):
            load(pickled)
        with pytest.raises(ValueError, match="named pipe"):
            load(piped)


def test_a_file_whose_first_byte_is_that_of_a_pickle_loads(weights, tmp_path):
    for length in range(0, 512, 8):  # the length of the header comes first, in multiples of 8
        file = rewritten(weights, tmp_path / "padded.safetensors", notes="x" * length)
        if file.read_bytes()[0] == 0x80:
            break
    assert file.read_bytes()[0] == 0x80
    assert loading.load(file)[1]["name"] == "tiny"


def test_a_header_that_promises_more_than_the_file_has_is_a_damaged_file(tmp_path):
    file = tmp_path / "torn.safetensors"
    header = json.dumps({"a": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}}).encode()
    file.write_bytes(struct.pack("<Q", len(header)) + header)
    for load in (loading.load, lambda file: presets.build("2b-tiny", weights=file)):
        with pytest.raises(ValueError, match="damaged one"):
            load(file)


def test_a_sparse_file_of_absurd_size_is_refused_by_its_header(tmp_path):
    file = tmp_path / "sparse.safetensors"
    values = 10_000_000_000
    entry = {"dtype": "BF16", "shape": [values], "data_offsets": [0, 2 * values]}
    header = json.dumps({"transformer.proj_in.weight": entry}).encode()
    with open(file, "wb") as handle:
        handle.write(struct.pack("<Q", len(header)) + header)
        handle.truncate(8 + len(header) + 2 * values)
    with pytest.raises(ValueError, match="10,000,000,000 weights, more than any model"):
        presets.build("2b-tiny", weights=file)


def test_ltx_files_with_values_that_are_not_finite_are_refused(tmp_path):
    file = tmp_path / "nan.safetensors"
    save_file({"proj_in.weight": torch.full((48, 128), float("inf"))}, str(file))
    with pytest.raises(ValueError, match="proj_in.weight has values that are not finite"):
        presets.build("2b-tiny", weights=file)


@pytest.mark.parametrize(
    "tensors, complaint",
    [
        ({"prompt_embeds": torch.zeros(())}, "floats .L, C. or .1, L, C. are needed"),
        ({"prompt_embeds": torch.zeros(2, 4, 32)}, "floats .L, C. or .1, L, C. are needed"),
        ({"prompt_embeds": torch.zeros(4, 32, dtype=torch.int64)}, "floats .L, C. or .1, L, C. are needed"),
        ({"prompt_embeds": torch.full((4, 32), float("nan"))}, "not finite"),
        ({"prompt_embeds": torch.zeros(4, 32), "prompt_attention_mask": torch.ones(5)}, "is of 5 tokens"),
        ({"prompt_embeds": torch.zeros(4, 32), "prompt_attention_mask": torch.zeros(4)}, "leaves no token"),
    ],
)
def test_prompts_that_are_none_are_one_error(tensors, complaint, tmp_path):
    file = tmp_path / "prompt.safetensors"
    save_file(tensors, str(file))
    with pytest.raises(ValueError, match=complaint):
        presets.build("2b-tiny", prompt=file)


def test_the_size_of_a_file_of_the_other_kind_is_left_out(weights):
    with pytest.raises(ValueError, match="of the kind nano, not of the LTX shape: leave size=2b-tiny out"):
        TurboVSR(weights=weights, size="2b-tiny")


def test_the_command_line_says_one_line_and_exits_with_3(weights, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "0.png", np.zeros((8, 8, 3), np.uint8))
    file = with_option(weights, tmp_path / "absurd.safetensors", transformer_depth=10**9)
    assert main([str(tmp_path / "in"), str(tmp_path / "out"), "--weights", str(file)]) == 3
    assert len(capsys.readouterr().err.strip().splitlines()) == 1 and not (tmp_path / "out").exists()


def test_a_long_list_of_names_is_cut():
    text = mismatch({f"layer{n:02}": (1,) for n in range(30)}, {"stray": (2,)})
    assert text.startswith("missing: layer00, layer01") and "and 20 more" in text and "unexpected: stray" in text
