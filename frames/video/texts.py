"""Text subtitles as plain lines, which every subtitle format can hold."""

from __future__ import annotations

import re

TEXTS = ("mov_text", "subrip", "srt", "text", "ass", "ssa", "webvtt")
"""Codecs of subtitles that are text."""
FIELDS_OF_ASS = 8  # before the text of a line: ReadOrder, Layer, Style, Name, three margins, Effect
# movtext's encoder asks for styles in the form of ASS before it gives its own.
ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def plain(data: bytes, codec: str) -> str:
    """The text of one subtitle, without its styles."""
    if codec == "mov_text":
        size = int.from_bytes(data[:2], "big")
        return _decoded(data[2 : 2 + size])
    text = _decoded(data)
    if codec in ("ass", "ssa"):
        text = re.sub(r"\{[^}]*\}", "", text.split(",", FIELDS_OF_ASS)[-1])
        return text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ").strip()
    return re.sub(r"</?[a-zA-Z][^>]*>|\{\\[^}]*\}", "", text).strip()


def encoded(text: str, codec: str) -> bytes:
    """One subtitle as mov_text (ISO/IEC 14496-17: a length, then UTF-8) or subrip."""
    data = text.encode("utf-8")
    if codec != "mov_text":
        return data
    data = data[:0xFFFF]
    return len(data).to_bytes(2, "big") + data


def _decoded(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "replace").replace("\r\n", "\n")
