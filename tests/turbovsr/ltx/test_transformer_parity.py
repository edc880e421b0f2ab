"""Our transformer against the diffusers class of LTX-Video, and the way from its checkpoints to ours."""

import pytest
import torch

from turbovsr.ltx import transformer_weights
from turbovsr.transformer import Transformer

FRAMES, HEIGHT, WIDTH = 3, 2, 4
LATENT, TEXT, HEADS, HEAD_WIDTH, DEPTH = 8, 12, 2, 16, 2  # 32 is no multiple of 6: some channels are not rotated


@pytest.fixture(scope="module")
def theirs():
    """The diffusers transformer, tiny, all weights random."""
    LTXVideoTransformer3DModel = pytest.importorskip("diffusers").LTXVideoTransformer3DModel
    network = LTXVideoTransformer3DModel(
        in_channels=LATENT,
        out_channels=LATENT,
        num_attention_heads=HEADS,
        attention_head_dim=HEAD_WIDTH,
        cross_attention_dim=HEADS * HEAD_WIDTH,
        num_layers=DEPTH,
        caption_channels=TEXT,
    )
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in network.parameters():
            value.copy_(0.3 * torch.randn(value.shape, generator=generator))
    return network.eval()


def ours(**options) -> Transformer:
    torch.manual_seed(1)
    arguments = dict(condition_channels=0, text_channels=TEXT, step_embedding=False, window=None) | options
    return Transformer(LATENT, width=HEADS * HEAD_WIDTH, depth=DEPTH, heads=HEADS, **arguments).eval()


def lightricks_names(state):
    words = {theirs: word for word, theirs in transformer_weights.LIGHTRICKS_WORDS.items()}
    renamed = {}
    for key, value in state.items():
        for word, original in words.items():
            key = key.replace(word, original)
        renamed[f"model.diffusion_model.{key}"] = value
    return renamed


def inputs():
    generator = torch.Generator().manual_seed(2)
    noisy = torch.randn(2, LATENT, FRAMES, HEIGHT, WIDTH, generator=generator)
    text = torch.randn(2, 5, TEXT, generator=generator)
    return noisy, torch.rand(2, FRAMES, HEIGHT, WIDTH, generator=generator), text


@torch.no_grad()
def their_answer(network, noisy, times, text, causal, mask=None):
    seconds = (8 * torch.arange(FRAMES) - (7 if causal else 0)).clamp(min=0) / 24
    places = torch.meshgrid(seconds, 32.0 * torch.arange(HEIGHT), 32.0 * torch.arange(WIDTH), indexing="ij")
    velocity = network(
        hidden_states=noisy.flatten(2).transpose(1, 2),
        encoder_hidden_states=text,
        timestep=1000 * times.flatten(1),
        encoder_attention_mask=mask,
        video_coords=torch.stack([place.flatten() for place in places]).expand(2, -1, -1),
        return_dict=False,
    )[0]
    return velocity.transpose(1, 2).view(noisy.shape)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("names", [dict, lightricks_names])
def test_plain_ltx_is_computed_exactly_with_a_time_for_each_token(theirs, names, causal):
    network = ours(causal_positions=causal)
    loaded = transformer_weights.load(network, names(theirs.state_dict()), "random")
    assert not loaded.initialised and not loaded.left_out
    noisy, times, text = inputs()
    with torch.no_grad():
        answer = network(noisy, None, times, text=text)
    expected = their_answer(theirs, noisy, times, text, causal)
    assert expected.std() > 0.1
    assert (answer - expected).abs().max() < 1e-5


def test_dropping_text_tokens_equals_masking_them(theirs):
    network = ours(causal_positions=True)
    transformer_weights.load(network, theirs.state_dict(), "random")
    noisy, times, text = inputs()
    mask = torch.tensor([[1, 1, 0, 0, 0]]).expand(2, -1)
    with torch.no_grad():
        answer = network(noisy, None, times, text=text[:, :2])
    assert (answer - their_answer(theirs, noisy, times, text, True, mask)).abs().max() < 1e-5


def test_what_ltx_lacks_starts_without_effect_and_is_reported(theirs):
    plain, extended = ours(), ours(condition_channels=6, step_embedding=True)
    transformer_weights.load(plain, theirs.state_dict(), "random")
    loaded = transformer_weights.load(extended, theirs.state_dict(), "random")
    assert loaded.initialised == ["embed_step (last layer zero)", "embed.weight (last 6 columns zero)"]
    assert loaded.taken == len(plain.state_dict()) and "embed_step" in str(loaded)
    noisy, times, text = inputs()
    condition = torch.randn(2, 6, FRAMES, HEIGHT, WIDTH)
    answer = extended(noisy, condition, times, torch.tensor([1.0, 0.25]), text)
    assert torch.allclose(answer, plain(noisy, None, times, text=text), atol=1e-5)
    answer.square().sum().backward()
    assert extended.embed.weight.grad[:, LATENT:].abs().max() > 0 and extended.embed_step[2].weight.grad.abs().max() > 0


def test_text_branch_can_be_left_out_and_is_reported(theirs):
    loaded = transformer_weights.load(ours(text_channels=None), theirs.state_dict(), "random")
    assert len(loaded.left_out) == 4 + DEPTH * 8 and "text branch left out" in str(loaded)


def test_every_key_that_does_not_fit_is_named(theirs):
    state = lightricks_names(theirs.state_dict())
    state["vae.encoder.conv_in.weight"] = torch.zeros(1)  # of the other network in the same file: no concern of ours
    state["model.diffusion_model.stray"] = torch.zeros(1)
    del state["model.diffusion_model.transformer_blocks.1.attn1.to_k.weight"]
    state["model.diffusion_model.proj_out.bias"] = torch.zeros(3)
    with pytest.raises(ValueError) as error:
        transformer_weights.load(ours(), state, "some file")
    for part in (
        "some file",
        "missing: blocks.1.attention.qkv.weight",
        "unexpected: stray, transformer_blocks.1.attn1.to_q.weight, transformer_blocks.1.attn1.to_v.weight",
        "of another shape: head.bias (3,) for (8,)",
    ):
        assert part in str(error.value)


def test_text_branch_without_a_text_is_one_clear_error():
    noisy, times, _ = inputs()
    with pytest.raises(ValueError, match="text embedding"):
        ours()(noisy, None, times)
