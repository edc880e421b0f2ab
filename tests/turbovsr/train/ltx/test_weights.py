"""Weights that training begins with: equal to those of the inference code, read without the whole model."""

import pytest
import torch
from safetensors.torch import save_file

from turbovsr.ltx import presets
from turbovsr.train.composition import compose_plain
from turbovsr.train.config import build_config
from turbovsr.train.ltx.sharding import fill, local, process_group, random_transformer, shadow, sharded_model
from turbovsr.train.ltx.weights import WeightFiles, export, start
from turbovsr.train.provenance import metadata_of

CPU = torch.device("cpu")


@pytest.fixture
def group():
    with process_group(CPU):
        yield


def test_an_ltx_file_gives_what_inference_makes_of_it(group, config, ltx_file):
    model = sharded_model(config, None, CPU, torch.float32)
    origin = start(model, ltx_file, seed=0)
    assert "embed_step (last layer zero)" in origin and "autoencoder: " in origin
    expected, _ = presets.build("2b-tiny", "paper", weights=ltx_file)
    own = {name: local(value) for name, value in model.state_dict().items()}
    drawn = ("transformer.embed_step.0.weight", "transformer.embed_step.0.bias")  # of another seed
    assert own.keys() == expected.state_dict().keys()
    assert all(torch.equal(own[n], v) for n, v in expected.state_dict().items() if n not in drawn)


def test_an_export_is_read_back_and_computes_the_same(group, config, tmp_path):
    model = sharded_model(config, None, CPU, torch.float32)
    start(model, None, seed=1)
    fill(model.transformer, [("head.weight", torch.full((128, 48), 0.25))])
    export(model.config, model.state_dict().items(), tmp_path / "own.safetensors", name="own")
    again = sharded_model(config, None, CPU, torch.float32)
    assert start(again, tmp_path / "own.safetensors", seed=2) == "own.safetensors, a checkpoint of TurboVSR"
    whole, metadata = presets.build(weights=tmp_path / "own.safetensors")
    assert metadata["name"] == "own"
    second = shadow(again, CPU, torch.float32)
    noise, condition = torch.randn(2, 1, 128, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    answers = [each.sample_first(condition, noise, 2) for each in (model, again, second, whole)]
    assert answers[0].std() > 0.1 and all(torch.allclose(answers[0], each, atol=1e-5) for each in answers[1:])


def test_random_weights_start_without_effect_of_the_condition(config):
    drawn = dict(random_transformer(config, seed=0))
    assert drawn["embed.weight"][:, 128:].abs().max() == 0 and drawn["embed.weight"][:, :128].std() > 0
    assert drawn["embed_step.2.weight"].abs().max() == 0 and drawn["embed_step.0.weight"].std() > 0
    assert not torch.equal(drawn["blocks.0.attention.qkv.weight"], drawn["blocks.1.attention.qkv.weight"])


def test_a_file_without_an_autoencoder_is_one_clear_error(group, config, tmp_path):
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, str(tmp_path / "other.safetensors"))
    with pytest.raises(ValueError, match="no autoencoder in this file"):
        start(sharded_model(config, None, CPU, torch.float32), tmp_path / "other.safetensors", seed=0)
    with pytest.raises(ValueError, match="no transformer/"):
        WeightFiles(tmp_path)


def test_a_machine_with_a_gpu_trains_on_the_processor_where_that_is_asked_for(group, config, monkeypatch):
    """torch shards over GPUs wherever there are any, unless it is told the devices."""
    monkeypatch.setattr(torch._C, "_get_accelerator", lambda *_: torch.device("cuda"))
    model = sharded_model(config, None, CPU, torch.float32)
    assert {value.device_mesh.device_type for value in model.transformer.parameters()} == {"cpu"}


def test_the_mark_of_a_folder_is_of_the_parts_that_are_read(words, tmp_path):
    weights = tmp_path / "ltx"
    for part in ("transformer", "vae", "text_encoder"):
        (weights / part).mkdir(parents=True)
        save_file({part: torch.zeros(1)}, str(weights / part / "model.safetensors"))
    config = build_config(compose_plain([*words, f"weights={weights}", f"out={tmp_path / 'out'}"]))
    before = metadata_of(config, "condition")
    save_file({"text": torch.ones(2)}, str(weights / "text_encoder" / "model.safetensors"))
    assert metadata_of(config, "condition") == before
    save_file({"vae": torch.ones(2)}, str(weights / "vae" / "model.safetensors"))
    assert metadata_of(config, "condition") != before
