"""Encoder settings of a video: codec, quality, preset and bits, checked against each other and the container.

Nothing heavy is imported, because a command line offers these choices before it reads anything.
"""

from __future__ import annotations

from dataclasses import dataclass

X26X_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)
LARGE = 4096 * 2304
"""Pixels of a frame above which an encoder is told to buffer few frames."""
FEW_FRAMES = {
    "h264": "sliced-threads=1:sync-lookahead=0:rc-lookahead=3:ref=1:bframes=0",
    "hevc": "frame-threads=1:rc-lookahead=3:ref=1:bframes=0",
    "av1": "lookahead=0:pred-struct=1",
}
PARAMETERS = {"h264": "x264-params", "hevc": "x265-params", "av1": "svtav1-params"}
"""Name of the encoder's option that takes the settings of `FEW_FRAMES`."""
PRORES_PROFILES = ("proxy", "lt", "standard", "hq")


@dataclass(frozen=True)
class Codec:
    """A codec: its encoder, containers, pixel formats, presets and limits."""

    title: str
    encoder: str
    suffixes: tuple[str, ...]  # of its containers; the usual one first
    formats: dict[int, str]  # bits a sample -> pixel format
    formats_of_odd_sizes: dict[int, str]  # the same for frames with an odd side; empty: it takes none
    presets: tuple[str, ...] = ()
    preset: str | None = None  # the default
    best: int = 0  # range of the quality, a constant rate factor: a lower one is better and gives larger files
    worst: int = 0
    quality: int | None = None  # the default; None: the codec has no quality setting
    largest_edge: int = 16384
    largest_height: int = 32768
    smallest_edge: int = 1


_444 = {8: "yuv444p", 10: "yuv444p10le"}
_420 = {8: "yuv420p", 10: "yuv420p10le"}
_RGB = {8: "bgr0", 10: "gbrp10le", 16: "gbrp16le"}

CODECS = {
    "h264": Codec("H.264", "libx264", (".mp4", ".mkv", ".mov"), _420, _444, X26X_PRESETS, "medium", 0, 51, 18),
    # the x265 in PyAV 18.1 writes beyond its memory for frames of 48 pixels
    "hevc": Codec(
        "HEVC", "libx265", (".mp4", ".mkv", ".mov"), _420, _444, X26X_PRESETS, "medium", 0, 51, 18, smallest_edge=64
    ),
    "av1": Codec(
        "AV1",
        "libsvtav1",
        (".mp4", ".mkv"),
        _420,
        {},
        tuple(map(str, range(14))),
        "8",
        best=1,
        worst=63,
        quality=24,
        largest_height=8704,
        smallest_edge=4,
    ),
    "prores": Codec("ProRes", "prores_ks", (".mov", ".mkv"), {10: "yuv422p10le"}, {}, PRORES_PROFILES, "hq"),
    "ffv1": Codec("FFV1", "ffv1", (".mkv",), _RGB, _RGB, largest_edge=32768, smallest_edge=4),  # it has 4x4 slices
}


@dataclass(frozen=True)
class Settings:
    """Settings of FFmpeg's encoder."""

    encoder: str
    pixel_format: str
    options: dict[str, str]
    rgb: bool  # no conversion to luma and chroma: full range, no matrix


@dataclass(frozen=True)
class Encoding:
    """A codec with quality, preset and bits a sample; None is the codec's default.

    quality: the constant rate factor of h264, hevc and av1; a lower one is better and gives larger files.
    preset: speed against size; for prores its profile.
    """

    codec: str = "h264"
    quality: int | None = None
    preset: str | None = None
    bits: int = 8

    @classmethod
    def chosen(
        cls, suffix: str, given_bits: int, codec: str | None, quality: int | None, preset: str | None, bits: int | None
    ) -> Encoding:
        """The user's choices, completed with defaults that suit the input video.

        The default codec is H.264, or HEVC for more than 8 bits, which few programs play in H.264. The default bits
        are 8 for H.264; for other codecs the input's, or the next number of bits that the codec has.

        Args:
            suffix: of the container, in lower case.
            given_bits: bits a sample of the input video.
        Raises:
            ValueError: choices that do not go together; one line.
        """
        if codec is None:
            codec = "hevc" if (bits or given_bits) > 8 else "h264"
        if bits is None:
            known = sorted(CODECS[codec].formats)
            bits = 8 if codec == "h264" else next((n for n in known if n >= given_bits), known[-1])
        encoding = cls(codec, quality, preset, bits)
        complaint = encoding.complaint(suffix)
        if complaint:
            raise ValueError(complaint)
        return encoding

    def complaint(self, suffix: str) -> str | None:
        """The error in these choices for a container with this suffix, or None."""
        codec = CODECS[self.codec]
        if suffix not in codec.suffixes:
            return f"{codec.title} is not written into {suffix}; give a name in {', '.join(codec.suffixes)}"
        if self.bits not in codec.formats:
            known = " or ".join(map(str, sorted(codec.formats)))
            return f"{codec.title} is written with {known} bits a sample, not {self.bits}"
        if self.quality is not None and codec.quality is None:
            return f"{codec.title} has no choice of quality" + (
                f"; its profiles are --preset {', '.join(codec.presets)}" if codec.presets else ": it loses nothing"
            )
        if self.quality is not None and not codec.best <= self.quality <= codec.worst:
            return f"{codec.title} has qualities from {codec.best} (best) to {codec.worst}, not {self.quality}"
        if self.preset is not None and self.preset not in codec.presets:
            if not codec.presets:
                return f"{codec.title} has no presets"
            return f"{codec.title} has no preset '{self.preset}'; give one of {', '.join(codec.presets)}"
        return None

    def size_complaint(self, height: int, width: int) -> str | None:
        """The reason why the codec does not take frames of this size, or None."""
        codec = CODECS[self.codec]
        if max(height, width) > codec.largest_edge:
            return f"{width}x{height} is more than {codec.title} holds ({codec.largest_edge} a side)"
        if height > codec.largest_height:
            return f"{width}x{height} is higher than {codec.title} is written ({codec.largest_height})"
        if min(height, width) < codec.smallest_edge:
            return f"{width}x{height} is less than {codec.title} is written for ({codec.smallest_edge} a side)"
        if (height % 2 or width % 2) and not codec.formats_of_odd_sizes:
            return f"{width}x{height} has an odd side, which {codec.title} does not take; use h264, hevc or ffv1"
        return None

    def settings(self, height: int, width: int, repeatable: bool = False) -> Settings:
        """Encoder settings for frames of this size; 4:4:4 in place of 4:2:0 where a side is odd, so no pixel is lost.

        Encoders buffer ten to fifty frames. Above `LARGE` pixels a frame they are told to buffer few: one reference,
        no B frames, a short look-ahead, threads that share a frame (docs/decisions/videos.md).

        Args:
            repeatable: turn off x264's macroblock tree, whose bytes differ from run to run when torch works in the
                same process.
        """
        codec = CODECS[self.codec]
        formats = codec.formats_of_odd_sizes if height % 2 or width % 2 else codec.formats
        options = {}
        if codec.quality is not None:
            options["crf"] = str(codec.quality if self.quality is None else self.quality)
        if self.codec == "prores":
            options |= {"profile": self.preset or PRORES_PROFILES[-1], "vendor": "apl0"}
        elif codec.presets:
            options["preset"] = self.preset or codec.preset or ""
        if self.codec == "ffv1":
            options |= {"level": "3", "slices": "16", "slicecrc": "1"}
        if self.codec in PARAMETERS:
            words = ["mbtree=0"] * (repeatable and self.codec == "h264") + ["log-level=error"] * (self.codec == "hevc")
            words += [FEW_FRAMES[self.codec]] * (height * width > LARGE)
            if words:
                options[PARAMETERS[self.codec]] = ":".join(words)
        return Settings(codec.encoder, formats[self.bits], options, rgb=self.codec == "ffv1")
