"""LTX-Video's latent upsampler by diffusers: a whole clip is encoded by the VAE, doubled in size, and decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from baselines.diffusers import parts
from baselines.diffusers.folder import Wanted, find, imported, versions
from baselines.diffusers.options import read_float, read_int
from baselines.frames import FiniteCheck, check_clip, padded, to_uint8, torch_dtype
from bench.methods.contract import Descriptor, FrameRule, SizeRule, Stages, no_stages

WANTED = Wanted("LTXLatentUpsamplePipeline", networks=("vae", "latent_upsampler"))
SCALE = 2


class LtxUpsampler:
    """`LTXLatentUpsamplePipeline` of diffusers on the frames of a clip, x2.

    It is trained to enlarge latents that LTX-Video has generated. Filmed frames lose detail that the VAE does not keep.

    Args:
        model: a folder that diffusers saved, or the hub's name of one.
        revision: of the hub: commit, branch or tag.
        decode_timestep, decode_noise: for a VAE whose decoder denoises: its time input, and the share of noise that is
            mixed into its latents (None: as much as the time).
        seed: of the latents' sample and of that noise, which are drawn on the CPU.
        scale: 2.
        device: where it runs, e.g. "cpu" or "cuda".
        precision: "float32", "bfloat16" or "float16".
        licence: of the weights.
    Raises:
        EnvironmentInvalid: diffusers is not installed, or the hub cannot be reached.
        FileNotFoundError, UserError, ValueError: no such model, parts that do not fit, or options out of range.
    """

    def __init__(
        self,
        model: str,
        revision: str | None = None,
        decode_timestep: float = 0.05,
        decode_noise: float | None = 0.025,
        seed: int = 0,
        scale: int = SCALE,
        device: str = "cpu",
        precision: str = "float32",
        licence: str = "not known",
    ) -> None:
        imported("diffusers")
        if scale != SCALE:
            raise ValueError(f"ltx_upsampler: it upscales by {SCALE}, not by {scale}; run it with scale={SCALE}")
        self.device, self.dtype = torch.device(device), torch_dtype(precision, float16=True)
        self._seed = read_int("seed", seed, 0, 2**63 - 1)
        self._options = {"decode_timestep": read_float("decode_timestep", decode_timestep, 0, 1)}
        if decode_noise is not None:
            self._options["decode_noise_scale"] = read_float("decode_noise", decode_noise, 0, 1)
        found = find(str(model), WANTED, revision)
        self._pipeline = _pipeline(found.folder, self.dtype).to(self.device)
        spatial, temporal = self._pipeline.vae_spatial_compression_ratio, self._pipeline.vae_temporal_compression_ratio
        self.identity = {"model": found.digest, **versions("diffusers")}
        self.descriptor = Descriptor(
            name="ltx_upsampler",
            scale=SCALE,
            kind="video",
            device=device,
            dtype=precision,
            licence=licence,
            weights=found.origin,
            parameters=parts.parameters(self._pipeline.vae, self._pipeline.latent_upsampler),
            size_rule=SizeRule(multiple_of=spatial, padding="repeat"),
            frame_rule=FrameRule(multiple_of=temporal, plus=1, padding="repeat", note="a clip at once"),
            notes=f"{WANTED.pipeline} of diffusers {self.identity['diffusers']}; memory grows with the clip",
        )

    @torch.inference_mode()
    def upscale(self, lr: torch.Tensor, stages: Stages = no_stages) -> torch.Tensor:
        """Upscale one clip; see `bench.methods.contract.Upscaler.upscale`. Stage: "network"."""
        check_clip(lr, self.device)
        frames, _, height, width = lr.shape
        finite = FiniteCheck("ltx_upsampler")
        with stages("network"):
            clip = self._fitted(lr)
            (video,) = self._pipeline(
                video=list(clip.float() / 255),
                height=clip.shape[-2],
                width=clip.shape[-1],
                generator=torch.Generator().manual_seed(self._seed),
                output_type="pt",
                return_dict=False,
                **self._options,
            )
            sr = finite.see(video[0, :frames, :, : SCALE * height, : SCALE * width].float())
            finite.done()
            return to_uint8(sr * 255)

    def _fitted(self, lr: torch.Tensor) -> torch.Tensor:
        more = self.descriptor.frame_rule.fitted(len(lr)) - len(lr)
        return padded(torch.cat([lr, lr[-1:].expand(more, -1, -1, -1)]), self.descriptor.size_rule)


def _pipeline(folder: Path, dtype: torch.dtype) -> Any:
    import diffusers
    from diffusers.pipelines.ltx.modeling_latent_upsampler import LTXLatentUpsamplerModel

    return diffusers.LTXLatentUpsamplePipeline(
        vae=parts.network(diffusers.AutoencoderKLLTXVideo, folder / "vae", dtype),
        latent_upsampler=parts.network(LTXLatentUpsamplerModel, folder / "latent_upsampler", dtype),
    )
