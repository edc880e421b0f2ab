"""Checkpoints under Lightricks' and diffusers' names."""

import pytest
import torch

from turbovsr.ltx import autoencoder_keys
from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.ltx.autoencoder_layouts import find


def renamed(autoencoder, style, prefix=""):
    table = autoencoder_keys.names(autoencoder, style)
    return {prefix + table[key]: value.clone() for key, value in autoencoder.state_dict().items()}


def same(first, second) -> bool:
    a, b = first.state_dict(), second.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("style", autoencoder_keys.HEAD_WORDS)
@pytest.mark.parametrize("prefix", ["", "vae."])
def test_weights_come_back_from_either_style_of_names(ours, empty, release, style, prefix):
    state = renamed(ours, style, prefix)
    assert not same(ours, empty)
    assert autoencoder_keys.is_autoencoder(state)
    loaded = autoencoder_keys.load(empty, state, "file")
    assert (loaded.style, loaded.layout, loaded.left_out) == (style, release, [])
    assert same(ours, empty)


def test_names_are_those_that_diffusers_has(ours, theirs):
    assert set(autoencoder_keys.names(ours, "diffusers").values()) == set(theirs.state_dict())


def test_diffusers_own_conversion_agrees_about_lightricks_names(release):
    """Its table for single files, at full width on the meta device, for it tells releases apart by their widths."""
    convert = pytest.importorskip("diffusers.loaders.single_file_utils").convert_ltx_vae_checkpoint_to_diffusers
    with torch.device("meta"):
        network = LTXAutoencoder(release)
    converted = convert(renamed(network, "lightricks", "vae."))
    expected = {key: value.shape for key, value in renamed(network, "diffusers").items()}
    assert {key: value.shape for key, value in converted.items()} == expected


def test_a_joint_file_is_searched_for_the_autoencoder_and_unused_statistics_are_ignored(ours, empty):
    state = renamed(ours, "lightricks", "vae.")
    state["model.diffusion_model.patchify_proj.weight"] = torch.zeros(1)
    state["vae.per_channel_statistics.mean-of-stds_over_std-of-means"] = torch.zeros(1)
    autoencoder_keys.load(empty, state, "file")
    assert same(ours, empty)


def test_without_a_decoder_that_of_the_file_is_left_out(ours, empty):
    del empty.decoder
    loaded = autoencoder_keys.load(empty, renamed(ours, "diffusers"), "file")
    assert len(loaded.left_out) == len(ours.decoder.state_dict())
    assert torch.equal(ours.encoder.conv_in.weight, empty.encoder.conv_in.weight)


def test_every_key_that_does_not_fit_is_named_in_one_error(ours, empty):
    state = renamed(ours, "lightricks")
    state["encoder.surplus"] = torch.zeros(1)
    del state["decoder.conv_in.conv.bias"], state["per_channel_statistics.mean-of-means"]
    state["encoder.conv_out.conv.bias"] = torch.zeros(2)
    with pytest.raises(ValueError) as error:
        autoencoder_keys.load(empty, state, "some.safetensors")
    for part in (
        "some.safetensors",
        "missing: decoder.conv_in.conv.bias, per_channel_statistics.mean-of-means",
        "unexpected: encoder.surplus",
        "encoder.conv_out.conv.bias (2,) for (9,)",
    ):
        assert part in str(error.value)


def test_the_error_says_which_layout_the_file_has(ours, release):
    other = "0.9.5" if release == "0.9.0" else "0.9.0"
    with pytest.raises(ValueError, match=f"looks like layout {release}"):
        autoencoder_keys.load(LTXAutoencoder(find(f"{other}-tiny")), renamed(ours, "lightricks"), "file")
