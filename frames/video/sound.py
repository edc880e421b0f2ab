"""Encoding of sound as AAC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import av
import av.error
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from av.stream import Stream

AAC_RATE = 96_000  # bits a second and channel
AAC_FRAME = 1024  # samples
USUAL = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""FFmpeg's layouts by the number of channels. AVI and Matroska give PCM a number alone, which AAC does not take."""


class Sound:
    """Encodes sound as AAC into the container's stream `out`, with the same rate and layout if AAC has them."""

    def __init__(self, stream: Stream, container: OutputContainer) -> None:
        context = cast(AudioCodecContext, stream.codec_context)
        rates = [rate for rate in av.Codec("aac", "w").audio_rates or [] if rate <= context.sample_rate]
        rate, layout = max(rates, default=44100), _layout(context)
        self.out = container.add_stream("aac", rate=rate)
        self.out.codec_context.layout = layout
        self.out.codec_context.bit_rate = AAC_RATE * layout.nb_channels
        self._resampler = AudioResampler("fltp", layout, rate, frame_size=AAC_FRAME)

    def packets(self, packet: av.Packet) -> Iterator[av.Packet]:
        """Encode one packet of the source; an empty one ends the stream."""
        try:
            decoded = cast(list[AudioFrame], packet.decode())
        except av.error.FFmpegError:  # one packet's damage is a moment of silence
            decoded = []
        for frame in decoded:
            for piece in self._resampler.resample(frame):
                yield from self.out.encode(piece)
        if packet.size == 0:
            for piece in self._resampler.resample(None):
                yield from self.out.encode(piece)
            yield from self.out.encode(None)


def _layout(context: AudioCodecContext) -> AudioLayout:
    """The layout of the channels, or the usual one where only their number is known."""
    layout = context.layout
    usual = USUAL.get(layout.nb_channels) if layout.name == f"{layout.nb_channels} channels" else None
    return AudioLayout(usual) if usual else layout
