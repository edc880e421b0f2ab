"""Names of the autoencoder's weights: ours, Lightricks' and diffusers', and loading from files of either.

Lightricks numbers the stages as we do: stages.N of the encoder is down_blocks.N, of the decoder up_blocks.N. Diffusers
gathers them: the encoder's last and the decoder's first blocks are mid_block; every other stage of blocks is a block of
its own, together with the stages that follow it (encoder) or precede it (decoder). The rest are the tables below.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from turbovsr.ltx.autoencoder import LTXAutoencoder
from turbovsr.ltx.autoencoder_layouts import Stage
from turbovsr.weights_file import mismatch, shapes_of

PREFIXES = ("vae.", "first_stage_model.")
OTHERS = ("model.diffusion_model.", "transformer.", "text_encoder.")  # other networks in the same file
STATISTICS = "per_channel_statistics."

# For both styles: our words -> theirs, matched against whole words of a key, longest first.
WORDS = {
    "conv_in": "conv_in.conv",
    "conv_out": "conv_out.conv",
    "conv1": "conv1.conv",
    "conv2": "conv2.conv",
    "gain1": "per_channel_scale1",
    "gain2": "per_channel_scale2",
    "table": "scale_shift_table",
    "time.0": "time_embedder.timestep_embedder.linear_1",
    "time.2": "time_embedder.timestep_embedder.linear_2",
    "time_scale": "timestep_scale_multiplier",
}
STYLED_WORDS = {
    "lightricks": {"blocks": "res_blocks", "shortcut": "conv_shortcut", "shortcut_norm": "norm3.norm"},
    "diffusers": {"blocks": "resnets", "shortcut": "conv_shortcut.conv", "shortcut_norm": "norm3"},
}
STATISTICS_WORDS = {
    "lightricks": {"mean": f"{STATISTICS}mean-of-means", "std": f"{STATISTICS}std-of-means"},
    "diffusers": {"mean": "latents_mean", "std": "latents_std"},
}
HEAD_WORDS = {  # weights of the decoder's head, which belong to no stage
    "lightricks": {"table": "last_scale_shift_table", "time": "last_time_embedder"},
    "diffusers": {},
}


@dataclass(frozen=True)
class AutoencoderReport:
    """The result of loading a checkpoint."""

    style: str
    layout: str  # of the file, as far as its keys tell
    taken: int  # weights filled from the file
    left_out: list[str]  # names in the file of the decoder's weights, if this autoencoder has no decoder

    def __str__(self) -> str:
        text = f"{self.taken} weights taken, {self.style} names"
        return f"{text}; decoder left out: {len(self.left_out)} weights of the file not used" if self.left_out else text


def translate(key: str, stages: Mapping[str, tuple[Stage, ...]], style: str) -> str:
    """Translate our name of a weight to theirs.

    Args:
        stages: those of "encoder" and "decoder" in the layout.
        style: "lightricks" or "diffusers".
    """
    if key in STATISTICS_WORDS[style]:
        return STATISTICS_WORDS[style][key]
    side, rest = key.split(".", 1)
    path = ""
    if rest.startswith("stages."):
        _, number, rest = rest.split(".", 2)
        row = stages[side]
        path = _path(row, int(number), side, style) + "."
        if row[int(number)].kind in (
            "space_to_depth",
            "depth_to_space",
        ):  # a convolution inside two layers there
            rest = rest.replace("conv.", "conv.conv.", 1)
        words = WORDS | STYLED_WORDS[style]
    else:
        head = HEAD_WORDS[style]
        words = WORDS | {
            ours: head[ours.split(".")[0]] + word.removeprefix("scale_shift_table").removeprefix("time_embedder")
            for ours, word in WORDS.items()
            if ours.split(".")[0] in head
        }
    return f"{side}.{path}{_replace(rest, words)}"


def _path(stages: tuple[Stage, ...], number: int, side: str, style: str) -> str:
    """The path of a stage in their network."""
    level_name = "down_blocks" if side == "encoder" else "up_blocks"
    if style == "lightricks":
        return f"{level_name}.{number}"
    kind = stages[number].kind
    earlier = sum(stage.kind == "res_x" for stage in stages[:number])
    if kind == "res_x" and number == (len(stages) - 1 if side == "encoder" else 0):
        return "mid_block"
    level = f"{level_name}.{earlier if kind == 'res_x' and side == 'encoder' else earlier - 1}"
    if kind == "res_x":
        return level
    if kind == "res_x_y":
        return f"{level}.{'conv_out' if side == 'encoder' else 'conv_in'}"
    return f"{level}.{'downsamplers' if side == 'encoder' else 'upsamplers'}.0"


def _replace(rest: str, words: Mapping[str, str]) -> str:
    """Replace our words by theirs, each part of the key at most once."""
    parts, done = rest.split("."), []
    while parts:
        pair = ".".join(parts[:2])
        if pair in words:
            done.append(words[pair])
            parts = parts[2:]
        else:
            done.append(words.get(parts[0], parts[0]))
            parts = parts[1:]
    return ".".join(done)


def names(autoencoder: LTXAutoencoder, style: str) -> dict[str, str]:
    """Map our name of every weight to theirs."""
    stages = {"encoder": autoencoder.layout.encoder, "decoder": autoencoder.layout.decoder}
    return {key: translate(key, stages, style) for key in autoencoder.state_dict()}


def own_part(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Select the autoencoder's weights in a file, without prefixes and unused statistics."""
    prefixed = {
        key.removeprefix(prefix): value for key, value in state.items() for prefix in PREFIXES if key.startswith(prefix)
    }
    found = prefixed or {key: value for key, value in state.items() if not key.startswith(OTHERS)}
    used = STATISTICS_WORDS["lightricks"].values()
    return {key: value for key, value in found.items() if not key.startswith(STATISTICS) or key in used}


def is_autoencoder(state: Mapping[str, Tensor]) -> bool:
    """Whether a file has an LTX autoencoder, alone or together with the transformer."""
    return "encoder.conv_in.conv.weight" in own_part(state)


def style_of(state: Mapping[str, Tensor]) -> str:
    """The style of the names of `own_part`, "lightricks" or "diffusers"."""
    return "diffusers" if any(".resnets." in key for key in state) else "lightricks"


def layout_of(state: Mapping[str, Tensor]) -> str:
    """Release whose stages the weights of `own_part` fit, at any width: "0.9.0", "0.9.1" or "0.9.5"."""
    packed = ("encoder.down_blocks.1.conv.conv.weight", "encoder.down_blocks.0.downsamplers.0.conv.conv.weight")
    if any(key in state for key in packed):
        return "0.9.5"
    return "0.9.1" if any(key.startswith("decoder.") and "time_embedder" in key for key in state) else "0.9.0"


@torch.no_grad()
def load(autoencoder: LTXAutoencoder, state: Mapping[str, Tensor], origin: str) -> AutoencoderReport:
    """Fill an autoencoder from an LTX checkpoint.

    Args:
        autoencoder: whole, or with its decoder deleted: then the file's decoder is left out.
        state: under Lightricks' or diffusers' names, with or without prefix, a transformer's keys allowed and ignored.
        origin: what to call the checkpoint in messages.
    Raises:
        ValueError: keys missing, unexpected or of another shape, up to ten of each named.
    """
    found = own_part(state)
    style = style_of(found)
    left_out = []
    if not hasattr(autoencoder, "decoder"):
        left_out = sorted(key for key in found if key.startswith("decoder."))
        found = {key: value for key, value in found.items() if key not in left_out}
    table = names(autoencoder, style)
    own = {table[key]: value for key, value in autoencoder.state_dict().items()}
    wrong = mismatch(shapes_of(own), shapes_of(found))
    release = layout_of(own_part(state))
    if wrong:
        layout = autoencoder.layout.name
        hint = f" (the file looks like layout {release}: choose it)" if release != layout.removesuffix("-tiny") else ""
        raise ValueError(f"{origin}: wrong weights for an autoencoder of layout {layout}{hint}: {wrong}")
    autoencoder.load_state_dict({key: found[theirs] for key, theirs in table.items()})
    return AutoencoderReport(style, release, len(found), left_out)
