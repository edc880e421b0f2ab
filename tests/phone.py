"""A video as a phone records it: turned, of a variable frame rate, with sound, subtitles, chapters and tags."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from frames.video.texts import ASS_HEADER

RATE, UNIT, SECOND = 48000, Fraction(1, 600), 600
TAGS = {"title": "My film", "creation_time": "2024-05-06T07:08:09.000000Z", "comment": "hello"}
TEXTS = ("first", "second\nof two lines")


def record(
    path: Path,
    seconds: int = 3,
    fps: int = 10,
    size: tuple[int, int] = (16, 24),
    sound: str | None = "aac",
    subtitles: bool = True,
    turned: bool = True,
    late: Fraction = Fraction(0),
    sound_late: Fraction = Fraction(0),
    **tags: str,
) -> Path:
    """Write one. About every second the picture is white for a frame, and a tone sounds for 50 ms.

    Args:
        size: (height, width) as stored.
        late, sound_late: seconds at which the first frame and the first sample come.
        tags: of the picture.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        out.metadata.update(TAGS)
        picture = out.add_stream("libx264", rate=fps, options={"crf": "15", "g": "20"})
        picture.height, picture.width, picture.pix_fmt = *size, "yuv420p"
        context = picture.codec_context
        context.time_base = UNIT
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        picture.metadata["language"] = "fra"
        picture.metadata.update(tags)
        if turned:
            picture.set_display_rotation(90)
        tone = out.add_stream(sound, rate=RATE) if sound else None
        if tone:
            tone.codec_context.layout = "mono"
            tone.metadata["language"] = "eng"
        texts = _texts(out) if subtitles else None
        ends = [0, SECOND * seconds // 2, SECOND * seconds]
        out.set_chapters(
            [
                {"id": n, "start": ends[n], "end": ends[n + 1], "time_base": UNIT, "metadata": {"title": name}}
                for n, name in enumerate(("One", "Two"))
            ]
        )
        for number, time in enumerate(shown(seconds, fps)):
            pixels = np.full((*size, 3), 60 if number % fps else 235, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p", dst_colorspace=1)
            frame.time_base, frame.pts = UNIT, time + round(late / UNIT)
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        if tone:
            for packet in _tones(tone, seconds, round(sound_late * RATE)):
                out.mux(packet)
        for number, text in enumerate(TEXTS if texts else ()):
            data = text.encode()
            packet = av.Packet(len(data).to_bytes(2, "big") + data)
            packet.stream, packet.time_base = texts, Fraction(1, 1000)
            packet.pts = packet.dts = 1000 * number
            packet.duration = 500
            out.mux(packet)
    return path


def shown(seconds: int, fps: int) -> list[int]:
    """When frames are shown, in units of 1/600 s: the second of every three comes late."""
    step = SECOND // fps
    return [number * step + (step // 4 if number % 3 == 1 else 0) for number in range(seconds * fps)]


def flashes(path: Path) -> list[float]:
    """The seconds at which the picture is white."""
    with av.open(str(path)) as container:
        return [
            float(frame.pts * frame.time_base)
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 150
        ]


def beeps(path: Path) -> list[float]:
    """The seconds at which a tone begins, to a millisecond."""
    with av.open(str(path)) as container:
        found: list[float] = []
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().reshape(-1).astype(float)
            loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() * 0.5 + 1e-9)
            peak = np.abs(samples).max() / (32768 if frame.format.name.startswith("s16") else 1)
            if peak > 0.1:
                at = float(frame.pts * frame.time_base + Fraction(int(loud[0]), frame.sample_rate))
                if not found or at - found[-1] > 0.3:
                    found.append(at)
        return found


def _texts(out: av.container.OutputContainer) -> av.stream.Stream:
    texts = out.add_stream("mov_text")
    texts.codec_context.subtitle_header = ASS_HEADER
    texts.codec_context.time_base = Fraction(1, 1000)
    texts.metadata["language"] = "fra"
    return texts


def _tones(stream: av.AudioStream, seconds: int, late: int) -> list[av.Packet]:
    packets = []
    for start in range(0, seconds * RATE, 1024):
        at = np.arange(start, start + 1024)
        wave = 0.5 * np.sin(2 * np.pi * 1000 * at / RATE) * ((at + late) % RATE < RATE // 20)
        if stream.codec_context.format.name == "s16":
            frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
        else:
            frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
        frame.rate, frame.pts, frame.time_base = RATE, start + late, Fraction(1, RATE)
        packets += stream.encode(frame)
    return packets + stream.encode(None)
