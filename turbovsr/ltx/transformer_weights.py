"""LTX-Video transformer weights, under the names of diffusers or of Lightricks, into `turbovsr.transformer`.

Lightricks names are diffusers' but for a prefix and four words. Ours differ in that queries, keys and values of one
input come from one matrix. Every key of the file must find its place and every weight its key, with two exceptions
that are reported: what LTX does not have (condition channels, step embedding) starts without effect, and
the text branch may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from turbovsr.transformer import Transformer
from turbovsr.weights_file import mismatch, shapes_of

PREFIXES = ("model.diffusion_model.", "diffusion_model.", "transformer.")
LIGHTRICKS_WORDS = {
    "patchify_proj": "proj_in",
    "adaln_single": "time_embed",
    "q_norm": "norm_q",
    "k_norm": "norm_k",
}
OUTER = {  # diffusers: ours
    "proj_in": "embed",
    "time_embed.emb.timestep_embedder.linear_1": "embed_time.0",
    "time_embed.emb.timestep_embedder.linear_2": "embed_time.2",
    "time_embed.linear": "modulate",
    "caption_projection.linear_1": "embed_text.0",
    "caption_projection.linear_2": "embed_text.2",
    "scale_shift_table": "table",
    "proj_out": "head",
}
IN_BLOCK = {
    "attn1.norm_q": "attention.norm_q",
    "attn1.norm_k": "attention.norm_k",
    "attn1.to_out.0": "attention.out",
    "attn2.norm_q": "text_attention.norm_q",
    "attn2.norm_k": "text_attention.norm_k",
    "attn2.to_q": "text_attention.q",
    "attn2.to_out.0": "text_attention.out",
    "ff.net.0.proj": "feed_forward.0",
    "ff.net.2": "feed_forward.2",
    "scale_shift_table": "table",
}
JOINED = {  # ours: diffusers' parts, stacked in this order
    "attention.qkv": ("attn1.to_q", "attn1.to_k", "attn1.to_v"),
    "text_attention.kv": ("attn2.to_k", "attn2.to_v"),
}
TEXT_PARTS = ("embed_text.", ".text_attention.")


@dataclass(frozen=True)
class TransformerReport:
    """The result of loading a checkpoint, in our key names."""

    taken: int  # keys of ours filled from the file
    initialised: list[str]  # weights that LTX does not have; they start without effect
    left_out: list[str]  # weights of the file's text branch, if this network has none

    def __str__(self) -> str:
        parts = [f"{self.taken} weights taken"]
        if self.initialised:
            parts.append(f"started without effect, for want of weights: {', '.join(self.initialised)}")
        if self.left_out:
            parts.append(f"text branch left out: {len(self.left_out)} weights of the file not used")
        return "; ".join(parts)


def is_transformer(state: Mapping[str, Tensor]) -> bool:
    """Whether a file has an LTX transformer, alone or together with the autoencoder."""
    return any(key.endswith(("proj_in.weight", "patchify_proj.weight")) for key in state)


def to_diffusers_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Strip the prefix and translate Lightricks' words to diffusers'; the autoencoder of a joint file is left out."""
    renamed = {}
    for key, value in state.items():
        if key.startswith(("vae.", "first_stage_model.")):
            continue
        for prefix in PREFIXES:
            key = key.removeprefix(prefix)
        for theirs, word in LIGHTRICKS_WORDS.items():
            key = key.replace(theirs, word)
        renamed[key] = value
    return renamed


def to_our_names(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Translate diffusers' names to ours and join the matrices that are one matrix here.

    Returns:
        The renamed weights, and the keys that have no place here, such as a part of a matrix without its other parts.
    """
    left = dict(state)
    found: dict[str, Tensor] = {}

    def move(theirs: str, ours: str) -> None:
        for ending in ("", ".weight", ".bias"):
            if theirs + ending in left:
                found[ours + ending] = left.pop(theirs + ending)

    for theirs, ours in OUTER.items():
        move(theirs, ours)
    numbers = {key.split(".")[1] for key in state if key.startswith("transformer_blocks.")}
    for number in numbers:
        block, ours_block = f"transformer_blocks.{number}", f"blocks.{number}"
        for theirs, ours in IN_BLOCK.items():
            move(f"{block}.{theirs}", f"{ours_block}.{ours}")
        for ours, names in JOINED.items():
            for ending in (".weight", ".bias"):
                keys = [f"{block}.{name}{ending}" for name in names]
                if all(key in left for key in keys):
                    found[f"{ours_block}.{ours}{ending}"] = torch.cat([left.pop(key) for key in keys])
    return found, sorted(left)


@torch.no_grad()
def load(transformer: Transformer, state: Mapping[str, Tensor], origin: str) -> TransformerReport:
    """Fill a transformer from an LTX checkpoint, after which it computes the same as plain LTX.

    Args:
        state: under diffusers' or Lightricks' names, with or without prefix, autoencoder keys allowed and ignored.
        origin: what to call the checkpoint in messages.
    Raises:
        ValueError: keys missing, unexpected or of another shape, up to ten of each named.
    """
    found, report = translated(transformer, state, origin)
    transformer.load_state_dict(found)
    return report


def translated(
    transformer: Transformer, state: Mapping[str, Tensor], origin: str
) -> tuple[dict[str, Tensor], TransformerReport]:
    """Translate a checkpoint to a complete state under our names; returns it and the report of `load`.

    Tensors may be on the meta device, so that a file can be checked by its header.

    Raises:
        ValueError: as `load`.
    """
    found, unexpected = to_our_names(to_diffusers_names(state))
    own = transformer.state_dict()
    left_out = []
    if transformer.embed_text is None:
        left_out = sorted(key for key in found if any(part in key for part in TEXT_PARTS))
        found = {key: value for key, value in found.items() if key not in left_out}
    initialised = []
    if transformer.embed_step is not None and not any(key.startswith("embed_step.") for key in found):
        # Only the last layer is zero: if both were, no gradient would reach either.
        found |= {key: torch.zeros_like(own[key]) for key in ("embed_step.2.weight", "embed_step.2.bias")}
        found |= {key: own[key] for key in ("embed_step.0.weight", "embed_step.0.bias")}
        initialised.append("embed_step (last layer zero)")
    entry, columns = found.get("embed.weight"), transformer.condition_channels
    if columns and entry is not None and entry.ndim == 2 and own["embed.weight"].shape[1] - entry.shape[1] == columns:
        found["embed.weight"] = torch.cat([entry, entry.new_zeros(len(entry), columns)], dim=1)
        initialised.append(f"embed.weight (last {columns} columns zero)")
    wrong = mismatch(shapes_of(own), shapes_of(found), unexpected)
    if wrong:
        raise ValueError(f"{origin}: wrong weights for this transformer: {wrong}")
    return found, TransformerReport(
        len(found) - (4 if any("embed_step" in name for name in initialised) else 0), initialised, left_out
    )
