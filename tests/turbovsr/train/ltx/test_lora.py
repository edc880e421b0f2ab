"""Adapters: nothing else is trained, merged weights are what adapters compute, and PEFT loads the files."""

import json

import pytest
import torch
from safetensors.torch import load_file

from tests.turbovsr.train.ltx.conftest import OPTIONS, stage_words
from turbovsr.ltx import presets
from turbovsr.ltx.model import LTXModel
from turbovsr.train.__main__ import main
from turbovsr.train.ltx.lora import PREFIX, adapt, choose_trained, merged
from turbovsr.train.ltx.sharding import fill, process_group, sharded_model
from turbovsr.train.ltx.weights import export, start


def inputs() -> tuple[torch.Tensor, ...]:
    random = torch.Generator().manual_seed(0)
    noisy, condition = torch.randn(2, 1, 128, 2, 2, 2, generator=random)
    return noisy, condition, torch.full((1, 2, 1, 1), 0.5), torch.tensor([0.25])


@torch.no_grad()
def test_merged_weights_compute_what_the_adapters_do(config):
    model = LTXModel(config)
    adapt(model.transformer, 3)
    for value in model.transformer.parameters():
        value.copy_(torch.randn(value.shape, generator=torch.Generator().manual_seed(value.numel())) * 0.1)
    plain = LTXModel(config)
    plain.load_state_dict(merged(model.state_dict()))
    assert torch.allclose(model.transformer(*inputs()), plain.transformer(*inputs()), atol=1e-5)
    choose_trained(model.transformer)
    trained = {name for name, value in model.transformer.named_parameters() if value.requires_grad}
    assert {"embed.weight", "embed_step.2.bias", "blocks.1.feed_forward.0.lora_B.weight"} <= trained
    assert "blocks.0.attention.qkv.weight" not in trained and "head.weight" not in trained


@pytest.fixture(scope="module")
def begin(tmp_path_factory, config):
    """Weights to adapt: random ones with a head that is not zero, and the autoencoder of `latents`."""
    file = tmp_path_factory.mktemp("begin") / "begin.safetensors"
    with process_group(torch.device("cpu")):
        model = sharded_model(config, None, torch.device("cpu"), torch.float32)
        start(model, None, seed=3)
        fill(model.transformer, [("head.weight", torch.randn(128, 48, generator=torch.Generator().manual_seed(0)))])
        export(model.config, model.state_dict().items(), file)
    return file


@pytest.fixture(scope="module")
def trained(tmp_path_factory, latents, begin):
    """A folder in which `condition` has trained adapters of rank 2."""
    out = tmp_path_factory.mktemp("lora")
    words = ["recipe=ltx", f"data={latents}", f"out={out}", *OPTIONS, *stage_words("condition", steps=2), "lora=2"]
    threads = torch.get_num_threads()
    assert main([*words, "stage=condition", *stage_words("shortcut"), f"weights={begin}"]) == 0
    torch.set_num_threads(threads)
    return out


def test_a_training_writes_the_merged_model_and_the_adapter(trained):
    config = json.loads((trained / "condition.lora" / "adapter_config.json").read_text())
    assert config["r"] == config["lora_alpha"] == 2 and config["modules_to_save"] == ["embed", "embed_step"]
    adapter = load_file(trained / "condition.lora" / "adapter_model.safetensors")
    assert f"{PREFIX}blocks.0.attention.qkv.lora_A.weight" in adapter and all(
        name.startswith(PREFIX) for name in adapter
    )
    model, _ = presets.build("2b-tiny", "paper", weights=trained / "condition.safetensors")
    assert torch.equal(model.transformer.embed.weight, adapter[f"{PREFIX}embed.weight"])
    assert adapter[f"{PREFIX}blocks.1.feed_forward.2.lora_B.weight"].abs().max() > 0


@torch.no_grad()
def test_peft_loads_the_adapter_and_merges_to_the_same_weights(trained, begin):
    peft = pytest.importorskip("peft", reason="the package peft is not installed")
    base, _ = presets.build("2b-tiny", "paper", weights=begin)
    loaded = peft.PeftModel.from_pretrained(base.transformer, trained / "condition.lora").merge_and_unload()
    ours, _ = presets.build("2b-tiny", "paper", weights=trained / "condition.safetensors")
    expected = ours.transformer.state_dict()
    assert all((value - expected[name]).abs().max() < 1e-6 for name, value in loaded.state_dict().items())
