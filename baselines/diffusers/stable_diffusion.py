"""Stable Diffusion's upscaler by diffusers: frame by frame, whole or in tiles."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch

from baselines.diffusers import parts
from baselines.diffusers.folder import Wanted, find, imported, versions
from baselines.diffusers.options import read_float, read_int
from baselines.frames import check_clip, padded, torch_dtype
from baselines.tiling import describe_tiles, read_context, read_tile, tile_for, upscale_frames
from bench.methods.contract import Descriptor, SizeRule, Stages, no_stages

WANTED = Wanted(
    "StableDiffusionUpscalePipeline",
    networks=("unet", "vae", "text_encoder"),
    others=("tokenizer", "scheduler", "low_res_scheduler"),
)
LICENCES = {"stabilityai/stable-diffusion-x4-upscaler": "CreativeML Open RAIL++-M"}


class StableDiffusion:
    """`StableDiffusionUpscalePipeline` of diffusers on each frame.

    The prompt is encoded when the upscaler is made, which is not timed. Every frame and every tile starts from the same
    noise, so that frames do not depend on their order and a still scene stays still.

    Args:
        model: a folder that diffusers saved, or the hub's name of one.
        revision: of the hub: commit, branch or tag.
        steps: denoising steps.
        guidance: strength of classifier-free guidance; up to 1: none. There is none either if prompt and negative
            prompt are the same, since it would change nothing.
        noise_level: how much noise the LR frame gets, in steps of the model's own schedule (of at most 350).
        prompt, negative_prompt: what the frames show, and what they do not.
        seed: of the noise, which is drawn on the CPU.
        tile, context: see `baselines.tiling`.
        scale: must be the scale of the weights.
        device: where it runs, e.g. "cpu" or "cuda".
        precision: "float32", "bfloat16" or "float16"; a VAE whose configuration has `force_upcast`, because it
            overflows in float16, stays in float32.
        licence: of the weights; None: known for some names on the hub.
    Raises:
        EnvironmentInvalid: diffusers or transformers are not installed, or the hub cannot be reached.
        FileNotFoundError, UserError, ValueError: no such model, parts that do not fit, or options out of range.
    """

    def __init__(
        self,
        model: str,
        revision: str | None = None,
        steps: int = 75,
        guidance: float = 9.0,
        noise_level: int = 20,
        prompt: str = "",
        negative_prompt: str = "",
        seed: int = 0,
        tile: str | int = "auto",
        context: int = 32,
        scale: int = 4,
        device: str = "cpu",
        precision: str = "float32",
        licence: str | None = None,
    ) -> None:
        imported("diffusers", "transformers")
        self.device, self.dtype = torch.device(device), torch_dtype(precision, float16=True)
        self._tile, self._context = read_tile(tile), read_context(context)
        self._seed = read_int("seed", seed, 0, 2**63 - 1)
        found = find(str(model), WANTED, revision)
        self._pipeline = _pipeline(found.folder, self.dtype).to(self.device)
        parameters = parts.parameters(*(getattr(self._pipeline, name) for name in WANTED.networks))
        vae, unet = self._pipeline.vae, self._pipeline.unet
        self._scale = 2 ** (len(vae.config.block_out_channels) - 1)
        if scale != self._scale:
            raise ValueError(f"{model}: it upscales by {self._scale}, not by {scale}; run it with scale={self._scale}")
        self._options = {
            "num_inference_steps": read_int("steps", steps, 1, self._pipeline.scheduler.config.num_train_timesteps),
            "noise_level": read_int("noise_level", noise_level, 0, self._pipeline.config.max_noise_level),
            **self._prompted(str(prompt), str(negative_prompt), read_float("guidance", guidance, 0, 1000)),
        }
        self.rule = SizeRule(
            multiple_of=math.lcm(self._scale, 2 ** (len(unet.config.block_out_channels) - 1)), padding="repeat"
        )
        self.identity = {"model": found.digest, **versions("diffusers", "transformers")}
        self.descriptor = Descriptor(
            name="diffusers",
            scale=self._scale,
            kind="image",
            device=device,
            dtype=precision,
            licence=licence or LICENCES.get(str(model), "not known"),
            weights=found.origin,
            parameters=parameters,
            size_rule=self.rule,
            notes=f"{WANTED.pipeline} of diffusers {self.identity['diffusers']}, {steps} steps; "
            + describe_tiles(self._tile, self._context),
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`. Stages: "denoise", "decode"."""
        check_clip(lr, self.device)
        tile = tile_for(self._tile, *lr.shape[-2:])
        return upscale_frames(lambda frame: self._run(frame, stages), lr, self._scale, "diffusers", tile, self._context)

    def _run(self, frame: torch.Tensor, stages: Stages) -> torch.Tensor:
        """float32 (1, 3, h, w) in [0, 1] -> (1, 3, scale*h, scale*w), nominally in [0, 1]."""
        height, width = frame.shape[-2:]
        vae = self._pipeline.vae
        with stages("denoise"):
            generator = torch.Generator().manual_seed(self._seed)
            (latents,) = self._pipeline(
                image=padded(frame, self.rule),
                generator=generator,
                output_type="latent",
                return_dict=False,
                **self._options,
            )[:1]
        with stages("decode"):
            sr = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor, return_dict=False)[0]
        return sr[..., : self._scale * height, : self._scale * width].float() / 2 + 0.5

    def _prompted(self, prompt: str, negative: str, guidance: float) -> dict[str, Any]:
        """Encode the prompts as options of the pipeline, then drop the text encoder."""
        guided = guidance > 1 and prompt != negative
        positive, unwanted = self._pipeline.encode_prompt(prompt, self.device, 1, guided, negative_prompt=negative)
        self._pipeline.text_encoder = self._pipeline.tokenizer = None
        return {
            "prompt_embeds": positive,
            "negative_prompt_embeds": unwanted,
            "guidance_scale": guidance if guided else 1.0,
        }


def _pipeline(folder: Path, dtype: torch.dtype) -> Any:
    """Build the pipeline of a folder, without its progress bar."""
    import diffusers

    vae = parts.network(diffusers.AutoencoderKL, folder / "vae", dtype)
    if dtype == torch.float16 and vae.config.force_upcast:
        vae = vae.to(torch.float32)
    text_encoder = parts.text_encoder(folder / "text_encoder", dtype)
    pipeline: Any = diffusers.StableDiffusionUpscalePipeline(
        vae=vae,
        unet=parts.network(diffusers.UNet2DConditionModel, folder / "unet", dtype),
        text_encoder=text_encoder,
        tokenizer=parts.tokenizer(folder / "tokenizer", text_encoder.config.max_position_embeddings),
        scheduler=parts.scheduler(folder / "scheduler"),
        low_res_scheduler=parts.scheduler(folder / "low_res_scheduler", "DDPMScheduler"),
        max_noise_level=parts.most_noise(folder),
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
