"""Pipelines of diffusers as upscalers: tiny ones with random weights, made here, and folders that are none."""

import inspect
import json
import os
import pickle
import shutil
import sys

import pytest
import torch

from bench import config
from frames.errors import EnvironmentInvalid, UserError

pytest.importorskip("diffusers", reason="diffusers is not installed (the extra `diffusers`)")
pytest.importorskip("transformers", reason="transformers is not installed (the extra `diffusers`)")
pytestmark = pytest.mark.slow  # to import the two takes longer than the tests

from baselines.diffusers import LtxUpsampler, StableDiffusion, parts  # noqa: E402

PROMPT = "a street"


def stable_diffusion():
    """The pipeline with some 100,000 random weights."""
    import diffusers
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    torch.manual_seed(0)
    letters = [chr(code) for code in range(33, 127)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    text = CLIPTextConfig(
        vocab_size=300, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=12, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    unet = diffusers.UNet2DConditionModel(
        sample_size=8, in_channels=7, out_channels=4, block_out_channels=(8, 8, 16, 16), layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"),
        cross_attention_dim=16, attention_head_dim=4, norm_num_groups=4, num_class_embeds=350,
    )  # fmt: skip
    vae = diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(4, 4, 8), layers_per_block=1, norm_num_groups=2, scaling_factor=0.08333,
    )  # fmt: skip
    return diffusers.StableDiffusionUpscalePipeline(
        vae=vae,
        unet=unet,
        text_encoder=CLIPTextModel(text),
        tokenizer=CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[], model_max_length=12),
        scheduler=diffusers.DDIMScheduler(prediction_type="v_prediction"),
        low_res_scheduler=diffusers.DDPMScheduler(),
        max_noise_level=350,
    )


def ltx():
    """The latent upsampler of LTX-Video and its VAE, which compresses by 8 and by 2."""
    import diffusers
    from diffusers.pipelines.ltx.modeling_latent_upsampler import LTXLatentUpsamplerModel

    torch.manual_seed(0)
    vae = diffusers.AutoencoderKLLTXVideo(
        latent_channels=8, block_out_channels=(8,), decoder_block_out_channels=(8,), layers_per_block=(1, 1),
        down_block_types=("LTXVideoDownBlock3D",), decoder_layers_per_block=(1, 1),
        spatio_temporal_scaling=(True,), decoder_spatio_temporal_scaling=(True,), decoder_inject_noise=(False, False),
        downsample_type=("conv",), upsample_residual=(False,), upsample_factor=(1,), timestep_conditioning=False,
    )  # fmt: skip
    upsampler = LTXLatentUpsamplerModel(in_channels=8, mid_channels=32, num_blocks_per_stage=1)
    return diffusers.LTXLatentUpsamplePipeline(vae=vae, latent_upsampler=upsampler)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folders of both, as diffusers saves them."""
    where = tmp_path_factory.mktemp("pipelines")
    stable_diffusion().save_pretrained(where / "sd")
    ltx().save_pretrained(where / "ltx")
    return where


@pytest.fixture
def mine(saved, tmp_path):
    """A copy of the first that a test may damage."""
    return shutil.copytree(saved / "sd", tmp_path / "mine")


@pytest.fixture
def lr():
    """uint8 (2, 3, 9, 13) of noise."""
    return torch.randint(0, 256, (2, 3, 9, 13), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


def test_frames_are_those_of_the_pipeline_as_its_users_call_it(saved, lr):
    import diffusers

    sr = StableDiffusion(str(saved / "sd"), steps=3, prompt=PROMPT, seed=1).upscale(lr)
    pipeline = diffusers.StableDiffusionUpscalePipeline.from_pretrained(saved / "sd", use_safetensors=True)
    for t in range(2):
        whole = torch.nn.functional.pad(lr[t : t + 1].float() / 255, (0, 3, 0, 7), mode="replicate")
        theirs = pipeline(
            prompt=PROMPT, image=whole, num_inference_steps=3, generator=torch.Generator().manual_seed(1),
            output_type="pt",
        ).images  # fmt: skip
        assert (sr[t] - (theirs[0, :, :36, :52] * 255)).abs().max() <= 1


def test_frames_depend_on_the_seed_and_on_no_order(saved, lr):
    first = StableDiffusion(str(saved / "sd"), steps=2, prompt=PROMPT)
    sr = first.upscale(lr)
    assert torch.equal(first.upscale(lr.flip(0)), sr.flip(0))
    assert torch.equal(StableDiffusion(str(saved / "sd"), steps=2, prompt=PROMPT).upscale(lr[1:]), sr[1:])
    for other in ({"seed": 1}, {"noise_level": 100}, {"prompt": "a cat"}, {"guidance": 1}, {"steps": 3}):
        options = {"steps": 2, "prompt": PROMPT} | other
        assert not torch.equal(StableDiffusion(str(saved / "sd"), **options).upscale(lr[:1]), sr[:1]), other


def test_without_a_prompt_guidance_is_left_out(saved, lr, monkeypatch):
    upscaler = StableDiffusion(str(saved / "sd"), steps=1)
    calls = []
    forward = upscaler._pipeline.unet.forward
    monkeypatch.setattr(
        upscaler._pipeline.unet, "forward", lambda x, *a, **k: (calls.append(len(x)), forward(x, *a, **k))[1]
    )
    upscaler.upscale(lr[:1])
    assert calls == [1]


def test_large_frames_are_cut_into_tiles(saved):
    upscaler = StableDiffusion(str(saved / "sd"), steps=1, tile=16, context=8)
    clip = torch.full((1, 3, 16, 40), 128, dtype=torch.uint8)
    sr = upscaler.upscale(clip)
    assert sr.shape == (1, 3, 64, 160) and "tiles of 16 LR pixels with 8 of context" in upscaler.descriptor.notes
    whole = StableDiffusion(str(saved / "sd"), steps=1, tile=0).upscale(clip)
    assert not torch.equal(sr, whole)
    assert torch.equal(StableDiffusion(str(saved / "sd"), steps=1, tile=40).upscale(clip), whole)


def test_the_descriptor_says_what_it_is(saved, mine):
    said = StableDiffusion(str(saved / "sd"), steps=3, licence="mine")
    pipeline = stable_diffusion()
    networks = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    descriptor = said.descriptor
    assert descriptor.parameters == parts.parameters(*networks)
    assert descriptor.weights.startswith("sd, a folder of the user's (sha256 ") and descriptor.licence == "mine"
    assert (descriptor.scale, descriptor.kind) == (4, "image") and "multiple of 8" in str(descriptor.size_rule)
    assert "StableDiffusionUpscalePipeline of diffusers" in descriptor.notes and "3 steps" in descriptor.notes
    config_file = mine / "scheduler" / "scheduler_config.json"
    config_file.write_text(config_file.read_text().replace("v_prediction", "epsilon"))
    assert StableDiffusion(str(mine)).identity != said.identity  # the store's key follows the folder's content


def test_names_of_older_files_are_understood(mine, lr):
    """Attention of old autoencoders and CLIP below `text_model`, as the published upscaler has them."""
    from safetensors.torch import load_file, save_file

    before = StableDiffusion(str(mine), steps=1).upscale(lr)
    vae, text = mine / "vae/diffusion_pytorch_model.safetensors", mine / "text_encoder/model.safetensors"
    old = {new: name for name, new in parts._OLD_NAMES.items()}
    tensors = load_file(vae)
    assert any(".to_q." in name for name in tensors)
    renamed = {}
    for name, value in tensors.items():
        for new, was in old.items():
            name = name.replace(new, was)
        renamed[name] = value
    save_file(renamed, vae)
    state = {f"text_model.{name}": value for name, value in load_file(text).items()}
    save_file(state | {"text_model.embeddings.position_ids": torch.arange(12)[None]}, text)
    assert torch.equal(StableDiffusion(str(mine), steps=1).upscale(lr), before)


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"scale": 2}, "upscales by 4, not by 2; run it with scale=4"),
        ({"steps": 0}, "method.steps=0: write a whole number from 1 to 1000"),
        ({"steps": 2.5}, "method.steps=2.5"),
        ({"guidance": float("nan")}, "method.guidance=nan"),
        ({"noise_level": 351}, "method.noise_level=351: write a whole number from 0 to 350"),
        ({"seed": -1}, "method.seed=-1"),
        ({"tile": "big"}, "method.tile=big: write auto, 0"),
        ({"context": -1}, "method.context=-1"),
        ({"precision": "float8"}, "choose one of float32, bfloat16, float16"),
        ({"revision": "main"}, "is a folder, which has none"),
    ],
    ids=str,
)
def test_options_out_of_range_are_one_line(saved, options, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        StableDiffusion(str(saved / "sd"), **options)
    assert "\n" not in str(caught.value)


def edited(file, **changes):
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def only_pickles(mine):
    weights = mine / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()

    class Runs:
        def __reduce__(self):
            return os.system, (f"touch {mine / 'ran'}",)

    weights.with_suffix(".bin").write_bytes(pickle.dumps(Runs()))


def code_beside(mine):
    """A repository that brings a class of its own for every part."""
    (mine / "pipeline.py").write_text(f"open({str(mine / 'ran')!r}, 'w')")
    (mine / "unet" / "own.py").write_text(f"open({str(mine / 'ran')!r}, 'w')")
    edited(mine / "model_index.json", _class_name=["pipeline", "Own"], unet=["own", "Own"])


def class_of_another_package(mine):
    edited(mine / "scheduler" / "scheduler_config.json", _class_name="os.system")


DAMAGES = {
    "only pickles": (only_pickles, "pickles .*are not read here"),
    "code": (code_beside, "a pipeline of class .*give a StableDiffusionUpscalePipeline"),
    "scheduler": (class_of_another_package, "a scheduler of class 'os.system'; known: DDIMScheduler"),
    "no index": (lambda mine: (mine / "model_index.json").unlink(), "model_index.json: no such file"),
    "no JSON": (lambda mine: (mine / "unet/config.json").write_text("{"), "config.json: not readable as JSON"),
    "a list": (lambda mine: (mine / "vae/config.json").write_text("[]"), "not a mapping of options"),
    "part missing": (lambda mine: shutil.rmtree(mine / "tokenizer"), "tokenizer: no such folder"),
    "cut": (
        lambda mine: os.truncate(mine / "vae/diffusion_pytorch_model.safetensors", 999),
        "not a readable safetensors file",
    ),
    "another width": (lambda mine: edited(mine / "unet/config.json", cross_attention_dim=24), "do not fit each other"),
    "layers": (lambda mine: edited(mine / "unet/config.json", layers_per_block=10**7), "layers_per_block is 10000000"),
    "blocks": (lambda mine: edited(mine / "vae/config.json", block_out_channels=[4] * 99), "lists 99 blocks"),
    "width": (lambda mine: edited(mine / "unet/config.json", num_class_embeds=10**12), "do not fit each other"),
    "steps": (
        lambda mine: edited(mine / "scheduler/scheduler_config.json", num_train_timesteps=10**12),
        "num_train_timesteps is 1000000000000",
    ),
    "tokenizer": (lambda mine: (mine / "tokenizer/tokenizer.json").write_text("{}"), "no tokenizer of CLIP"),
    "a pipe": (lambda mine: os.mkfifo(mine / "vae" / "x.json"), "a named pipe, not a regular file"),
    "noise": (lambda mine: edited(mine / "model_index.json", max_noise_level="x"), "max_noise_level is x"),
    "LTX": (
        lambda mine: edited(mine / "model_index.json", _class_name="LTXLatentUpsamplePipeline"),
        "use method=ltx_upsampler",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_hostile_folder_is_one_line_and_nothing_of_it_runs(mine, damage):
    harm, complaint = DAMAGES[damage]
    harm(mine)
    with pytest.raises((ValueError, FileNotFoundError, UserError), match=complaint) as caught:
        StableDiffusion(str(mine))
    assert "\n" not in str(caught.value) and not (mine / "ran").exists()


def test_values_that_are_not_finite_are_no_frames(mine, lr):
    from safetensors.torch import load_file, save_file

    file = mine / "vae/diffusion_pytorch_model.safetensors"
    tensors = load_file(file)
    tensors["decoder.conv_out.bias"][0] = float("nan")
    save_file(tensors, file)
    with pytest.raises(ValueError, match="values that are not finite"):
        StableDiffusion(str(mine), steps=1).upscale(lr)


def in_cache(saved, cache):
    """A model of the hub as its client keeps it: a snapshot named by its commit."""
    commit = "572c99286543a273bfd17fac263db5a77be12c4c"
    home = cache / "models--someone--upscaler"
    shutil.copytree(saved / "sd", home / "snapshots" / commit)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)


def test_a_model_of_the_hub_is_taken_from_the_cache(saved, tmp_path, monkeypatch, lr):
    import huggingface_hub

    in_cache(saved, tmp_path)
    real, asked = huggingface_hub.snapshot_download, []

    def snapshot(name, **options):
        asked.append(options)
        return real(name, cache_dir=tmp_path, **options)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    upscaler = StableDiffusion("someone/upscaler", steps=1)
    assert upscaler.descriptor.weights.startswith("someone/upscaler of the hub at 572c99286543 (sha256 ")
    assert torch.equal(upscaler.upscale(lr), StableDiffusion(str(saved / "sd"), steps=1).upscale(lr))
    assert [each.get("local_files_only") for each in asked] == [True]  # nothing else was asked
    assert not any("bin" in pattern or ".py" in pattern for pattern in asked[0]["allow_patterns"])


@pytest.mark.parametrize(
    "error, kind, complaint",
    [
        (ConnectionError("no route"), EnvironmentInvalid, "the hub cannot be reached .*hf download someone/upscaler"),
        (FileNotFoundError("offline"), EnvironmentInvalid, "the hub cannot be reached"),
    ],
    ids=["unreachable", "offline"],
)
def test_a_hub_out_of_reach_is_one_line_with_the_remedy(monkeypatch, error, kind, complaint):
    import huggingface_hub

    def fails(name, **options):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fails)
    with pytest.raises(kind, match=complaint) as caught:
        StableDiffusion("someone/upscaler")
    assert "\n" not in str(caught.value)


def test_what_is_no_folder_and_no_name_of_the_hub_is_one_line():
    with pytest.raises(FileNotFoundError, match="no such folder, and no name of the hub"):
        StableDiffusion("./nowhere/at/all")


@pytest.mark.parametrize("missing", ["diffusers", "transformers"])
def test_without_the_packages_one_line_says_what_to_install(saved, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(EnvironmentInvalid, match=f"{missing} cannot be imported.*pip install diffusers transformers"):
        StableDiffusion(str(saved / "sd"))


def test_the_method_is_a_configuration(saved):
    method = config.compose(["device=cpu", "method=diffusers", f"method.model={saved / 'sd'}"]).method
    keys = {key for key in method if key not in ("name", "summary") and not key.startswith("_")}
    assert keys == set(inspect.signature(StableDiffusion).parameters)
    other = config.compose(["device=cpu", "method=ltx_upsampler", "scale=2"]).method
    keys = {key for key in other if key not in ("name", "summary") and not key.startswith("_")}
    assert keys == set(inspect.signature(LtxUpsampler).parameters)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_clips_of_any_length_and_size_go_through_the_latents_of_ltx(saved, frames):
    upscaler = LtxUpsampler(str(saved / "ltx"))
    lr = torch.randint(0, 256, (frames, 3, 9, 13), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    sr = upscaler.upscale(lr)
    assert sr.shape == (frames, 3, 18, 26) and torch.equal(sr, upscaler.upscale(lr))
    said = upscaler.descriptor
    assert (said.scale, said.kind) == (2, "video") and "2k+1" in str(said.frame_rule)


def test_ltx_frames_are_those_of_the_pipeline(saved):
    import diffusers

    lr = torch.randint(0, 256, (3, 3, 16, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))
    pipeline = diffusers.LTXLatentUpsamplePipeline.from_pretrained(saved / "ltx", use_safetensors=True)
    theirs = pipeline(
        video=list(lr.float() / 255), height=16, width=24, generator=torch.Generator().manual_seed(0), output_type="pt"
    ).frames[0]
    sr = LtxUpsampler(str(saved / "ltx")).upscale(lr)
    assert (sr.float() - theirs * 255).abs().max() <= 0.5001


@pytest.mark.parametrize(
    "options, complaint",
    [
        ({"scale": 4}, "upscales by 2, not by 4; run it with scale=2"),
        ({"decode_timestep": 2}, "method.decode_timestep=2: write a number from 0 to 1"),
        ({"decode_noise": -1}, "method.decode_noise=-1"),
    ],
    ids=str,
)
def test_options_of_ltx_out_of_range_are_one_line(saved, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        LtxUpsampler(str(saved / "ltx"), **options)
    with pytest.raises(ValueError, match="use method=diffusers"):
        LtxUpsampler(str(saved / "sd"))
