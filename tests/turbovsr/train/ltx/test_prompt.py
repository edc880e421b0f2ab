"""Training with the text embedding of one fixed prompt, and without the text branch."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.turbovsr.train.ltx.conftest import OPTIONS, stage_words
from turbovsr import TurboVSR, checkpoints
from turbovsr.ltx import presets

LR = torch.arange(9 * 3 * 8 * 16, dtype=torch.uint8).view(9, 3, 8, 16)
STEP = [*stage_words("condition", steps=2), *stage_words("shortcut", steps=1)]


def prompt_file(path, tokens: int = 5, counted: int = 3, seed: int = 0):
    """A text embedding of which some tokens do not count; returns the file and what counts."""
    text = torch.randn(1, tokens, 32, generator=torch.Generator().manual_seed(seed))
    mask = (torch.arange(tokens) < counted).long().unsqueeze(0)
    save_file({"prompt_embeds": text, "prompt_attention_mask": mask}, str(path))
    return path, text[:, :counted]


def is_of_text(name: str) -> bool:
    return "embed_text." in name or "text_attention." in name


@pytest.mark.slow
def test_a_prompt_is_trained_with_stored_and_used(data, ltx_file, train, tmp_path):
    prompt, text = prompt_file(tmp_path / "prompt.safetensors")
    words = ["recipe=ltx", f"data={data}", f"weights={ltx_file}", f"out={tmp_path / 'out'}", *OPTIONS, *STEP]
    answered = train(*words, f"prompt={prompt}")
    assert answered.code == 0 and "text branch left out" not in answered.err, answered.err
    before, _ = presets.build("2b-tiny", "paper", weights=ltx_file, prompt=prompt)
    for stage in ("condition", "shortcut"):
        file = tmp_path / "out" / f"{stage}.safetensors"
        trained, header = load_file(file), checkpoints.read_header(file)
        assert header.config["prompt_tokens"] == 3 and torch.equal(trained["prompt"], text)
    moved = {n for n, v in before.state_dict().items() if is_of_text(n) and not torch.equal(v, trained[n])}
    assert moved == {name for name in trained if is_of_text(name)}  # all of the text branch is trained

    upscaler = TurboVSR(weights=file, size="2b-tiny", precision="float32")  # no prompt is named: the file has it
    assert torch.equal(upscaler.model.prompt, text)
    own = upscaler.upscale(LR)
    upscaler.model.prompt.neg_()
    assert not torch.equal(upscaler.upscale(LR), own)

    for other, message in (
        ([], "trained with a text of 3 tokens, and prompt= names no text"),
        ([f"prompt={prompt_file(tmp_path / 'more.safetensors', counted=4)[0]}"], "prompt= names a text of 4 tokens"),
        ([f"prompt={prompt_file(tmp_path / 'other.safetensors', seed=1)[0]}"], "trained with another text of 3 tokens"),
    ):
        refused = train(*words, *other, "stage=shortcut", "stages.shortcut.loop.steps=2")
        assert refused.code == 3 and message in refused.err.replace("\n", " "), refused.err


@pytest.mark.slow
def test_without_a_prompt_there_is_no_text_branch(data, ltx_file, train, tmp_path):
    words = ["recipe=ltx", f"data={data}", f"weights={ltx_file}", f"out={tmp_path}", *OPTIONS, *STEP]
    answered = train(*words, "stage=condition")
    assert answered.code == 0 and "text branch left out" in answered.err, answered.err
    file = tmp_path / "condition.safetensors"
    assert not any(is_of_text(name) or name == "prompt" for name in load_file(file))
    assert checkpoints.read_header(file).config["prompt_tokens"] == 0
    upscaler = TurboVSR(weights=file, size="2b-tiny", precision="float32")
    assert upscaler.model.prompt is None and upscaler.upscale(LR).shape == (9, 3, 32, 64)
