"""A protocol: the choices beside the formula that PSNR and SSIM depend on, as in `conf/protocol/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from frames.errors import UserError, did_you_mean

COLORS = ("rgb", "y", "y-full")
"""RGB (SSIM: the mean of the channels'); Y of BT.601 in studio range; Y of BT.601 in full range (YIQ's luma)."""
ROUNDINGS = ("none", "uint8")
DEFINITIONS = ("matlab", "pyiqa")
_KEYS = ("name", "summary", "color", "crop", "frames", "rounding", "definition")
_EVERY = "mean-frames,clips"


@dataclass(frozen=True)
class Protocol:
    """The choices behind a score. A clip's score is the mean over its frames, a set's the mean over its clips.

    Attributes:
        name: of the preset; no part of a signature, as presets may agree. It says so if not every frame is scored.
        psnr, ssim: the colour of each, one of `COLORS`.
        crop: border pixels that PSNR and SSIM leave out on each side.
        drop_first, drop_last: frames of each clip that no metric sees.
        only: the indices of the only frames that are scored; None: all that are not dropped.
        every: of the frames that are not dropped, only the first, the one `every` later and so on are scored.
        rounding: "uint8" rounds Y to whole levels before it is compared (MATLAB's rgb2ycbcr of uint8), "none" does not.
        definition: "matlab" (Wang et al. 2004; MSE as it is), or "pyiqa" (1e-8 added to the MSE of [0, 1] samples, so
            that equal frames have 80 dB; SSIM on rounded Y, negative contrast-structure terms set to 0).
    """

    name: str = "rgb"
    psnr: str = "rgb"
    ssim: str = "rgb"
    crop: int = 0
    drop_first: int = 0
    drop_last: int = 0
    only: tuple[int, ...] | None = None
    every: int = 1
    rounding: str = "none"
    definition: str = "matlab"

    def indices(self, frames: int) -> list[int]:
        """The indices of the frames that are scored in a clip of `frames`.

        Raises:
            ValueError: the clip is too short for this protocol.
        """
        left = range(self.drop_first, frames - self.drop_last, self.every)
        chosen: Sequence[int] = left if self.only is None else self.only
        if not chosen or chosen[-1] >= frames:
            raise ValueError(f"protocol {self.name} scores {self.selection}, but the clip has only {frames} frames")
        return list(chosen)

    def y_rounding(self, metric: str) -> str:
        """The rounding of Y for "psnr" or "ssim"."""
        if self.definition == "pyiqa":
            return "uint8" if metric == "ssim" else "none"
        return self.rounding

    @property
    def selection(self) -> str:
        """The scored frames, as signatures name them: "all frames", "frames2..-3", "frames3", "every4"."""
        if self.only is not None:
            return "frames" + ",".join(map(str, self.only))
        every = f"every{self.every}" if self.every > 1 else ""
        if self.drop_first or self.drop_last:
            return f"frames{self.drop_first}..-{self.drop_last + 1} {every}".rstrip()
        return every or "all frames"

    def signed(self, signature: str) -> str:
        """A metric's signature, with the scored frames added if they are not all."""
        if self.selection == "all frames" or self.selection in signature.split("|"):
            return signature
        before, every, after = signature.partition(_EVERY)
        return f"{before}{self.selection}|{every}{after}" if every else f"{signature}|{self.selection}"


def thinned(protocol: Protocol, every: int) -> Protocol:
    """A protocol that scores only every n-th of its frames; the same protocol for 1.

    Raises:
        UserError: the protocol names its frames one by one.
    """
    if every == 1:
        return protocol
    if protocol.only is not None:
        raise UserError(
            f"score_every={every}: protocol {protocol.name} names the frames that it scores; leave score_every out"
        )
    return replace(protocol, name=f"{protocol.name} every{every}", every=every)


RGB = Protocol()
"""RGB, all pixels, all frames."""


def parse(options: Mapping[str, Any], scale: int = 4) -> Protocol:
    """A protocol from the keys of its config; keys that are absent take the values of `RGB`.

    Args:
        options: name; summary (for lists only); color (one of `COLORS`, or {psnr: ..., ssim: ...}); crop (pixels, or
            "scale"); frames ("all", a list of indices, or {drop_first: n, drop_last: n}); rounding; definition.
        scale: what "scale" stands for.
    Raises:
        UserError: an unknown key or value.
    """
    name = str(options.get("name", "rgb"))
    _check_keys(name, "", options, _KEYS)
    color = options.get("color", "rgb")
    colors = dict(color) if isinstance(color, Mapping) else {"psnr": color, "ssim": color}
    _check_keys(name, "color.", colors, ("psnr", "ssim"))
    crop = options.get("crop", 0)
    crop = scale if crop == "scale" else crop
    if not _is_count(crop):
        raise UserError(f"protocol {name}: crop={crop}; write a number of pixels, or scale")
    found = {key: colors.get(key, "rgb") for key in ("psnr", "ssim")}
    found |= {"rounding": options.get("rounding", "none"), "definition": options.get("definition", "matlab")}
    known = {"psnr": COLORS, "ssim": COLORS, "rounding": ROUNDINGS, "definition": DEFINITIONS}
    for key, value in found.items():
        if value not in known[key]:
            word = "color" if key in colors else key
            raise UserError(f"protocol {name}: unknown {word} '{value}'{did_you_mean(str(value), known[key])}")
    return Protocol(name=name, crop=crop, **_frames(name, options.get("frames", "all")), **found)


def _frames(name: str, frames: Any) -> dict[str, Any]:
    if frames == "all":
        return {}
    if isinstance(frames, Mapping):
        _check_keys(name, "frames.", frames, ("drop_first", "drop_last"))
        if all(map(_is_count, frames.values())):
            return dict(frames)
    elif isinstance(frames, Sequence) and not isinstance(frames, str) and frames and all(map(_is_count, frames)):
        return {"only": tuple(sorted(set(frames)))}
    raise UserError(f"protocol {name}: frames={frames}; write all, a list of indices, or drop_first and drop_last")


def _check_keys(name: str, prefix: str, options: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in options:
        if key not in known:
            raise UserError(f"protocol {name}: unknown key '{prefix}{key}'{did_you_mean(str(key), known)}")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
