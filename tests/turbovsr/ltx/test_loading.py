"""LTX-Video files: what is taken from them, what is said about it."""

import pytest
import torch
from safetensors.torch import save_file

from turbovsr.ltx import autoencoder_keys, loading, presets
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.ltx.transformer_weights import is_transformer


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A transformer of the tiny size under diffusers' names in a diffusers folder."""
    LTXVideoTransformer3DModel = pytest.importorskip("diffusers").LTXVideoTransformer3DModel
    torch.manual_seed(0)
    network = LTXVideoTransformer3DModel(
        num_attention_heads=2, attention_head_dim=24, cross_attention_dim=48, num_layers=2, caption_channels=32
    )
    folder = tmp_path_factory.mktemp("ltx")
    (folder / "transformer").mkdir()
    save_file(network.state_dict(), str(folder / "transformer" / "diffusion_pytorch_model.safetensors"))
    return folder


@pytest.fixture
def prompt(tmp_path):
    file = tmp_path / "empty.safetensors"
    embedding = {"prompt_embeds": torch.randn(1, 4, 32), "prompt_attention_mask": torch.tensor([[1, 1, 0, 0]])}
    save_file(embedding, str(file))
    return file


def test_a_diffusers_folder_fills_the_transformer_and_says_what_is_random(checkpoint):
    model, metadata = presets.build("2b-tiny", "turbo", weights=checkpoint)
    state = loading.read(checkpoint)
    assert is_transformer(state)
    assert torch.equal(model.transformer.head.weight, state["transformer.proj_out.weight"])
    assert model.transformer.embed.weight[:, 128:].abs().max() == 0
    assert "random weights: autoencoder, projection, decoder" in metadata["notes"] and "timed only" in metadata["notes"]
    assert "embed.weight (last 128 columns zero)" in metadata["weights"]
    assert "text branch left out" in metadata["weights"]


def test_a_prompt_builds_the_text_branch_and_only_its_counted_tokens_are_used(checkpoint, prompt):
    model, metadata = presets.build("2b-tiny", "paper", weights=checkpoint, prompt=prompt)
    assert model.prompt.shape == (1, 2, 32) and "left out" not in metadata["weights"]
    condition = torch.randn(1, 128, 2, 2, 2)
    assert model.sample_first(condition, torch.randn(1, 128, 2, 2, 2), 1).isfinite().all()


@pytest.mark.parametrize("path", ["paper", "turbo"])
def test_one_file_with_both_networks_under_lightricks_names_leaves_only_our_parts_random(path, checkpoint, tmp_path):
    source = LTXAutoencoder("0.9.0-tiny")
    names = autoencoder_keys.names(source, "lightricks")
    joint = {f"vae.{names[key]}": value for key, value in source.state_dict().items()}
    for key, value in loading.read(checkpoint).items():
        key = key.removeprefix("transformer.").replace("proj_in", "patchify_proj")
        key = key.replace("time_embed.", "adaln_single.")
        joint[f"model.diffusion_model.{key}"] = value
    file = tmp_path / "joint.safetensors"
    save_file({key: value.contiguous() for key, value in joint.items()}, str(file))
    model, metadata = presets.build("2b-tiny", path, weights=file)
    clip = torch.rand(1, 3, 9, 32, 32) * 2 - 1
    assert torch.allclose(model.encode(clip), source.encode(clip), atol=1e-5)
    assert metadata["weights"].startswith("joint.safetensors: transformer: ") and "autoencoder: " in metadata["weights"]
    assert ("random weights: projection, decoder" in metadata["notes"]) == (path == "turbo")
    assert "random weights: autoencoder" not in metadata["notes"]


def test_a_random_prompt_stands_for_the_128_tokens_of_ltx():
    model, metadata = presets.build("2b-tiny", prompt="random")
    assert model.prompt.shape == (1, 128, 32) and model.prompt.std() > 0.5 and "timed only" in metadata["notes"]


def test_a_prompt_of_another_text_encoder_is_refused(tmp_path):
    file = tmp_path / "wide.safetensors"
    save_file({"prompt_embeds": torch.zeros(1, 4, 64)}, str(file))
    with pytest.raises(ValueError, match="prompt_embeds of 64 channels, 32 are needed"):
        presets.build("2b-tiny", prompt=file)


@pytest.mark.parametrize(
    "tensors, words", [({"other": torch.zeros(1)}, "neither an LTX-Video transformer"), ({}, "neither an LTX-Video")]
)
def test_a_foreign_file_is_one_clear_error(tensors, words, tmp_path):
    file = tmp_path / "foreign.safetensors"
    save_file(tensors, str(file))
    with pytest.raises(ValueError, match=words):
        presets.build("2b-tiny", weights=file)
    with pytest.raises(ValueError, match="no prompt_embeds"):
        presets.build("2b-tiny", prompt=file)


def test_files_that_are_not_there_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        presets.build("2b-tiny", weights=tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match=r"no transformer/\*.safetensors or vae/\*.safetensors"):
        presets.build("2b-tiny", weights=tmp_path)


def test_a_part_without_its_file_or_shards_is_refused_and_not_left_random(checkpoint, tmp_path):
    (tmp_path / "transformer").mkdir()
    (tmp_path / "transformer" / "diffusion_pytorch_model.bin").touch()
    with pytest.raises(ValueError, match=r"transformer: no .safetensors file in it"):
        loading.files_of(tmp_path)
    state = loading.read(checkpoint)
    for number in (1, 3):
        save_file(state, str(tmp_path / "transformer" / f"diffusion_pytorch_model-0000{number}-of-00003.safetensors"))
    with pytest.raises(ValueError, match="1 shards are missing, diffusion_pytorch_model-00002-of-00003.safetensors"):
        presets.build("2b-tiny", weights=tmp_path)
