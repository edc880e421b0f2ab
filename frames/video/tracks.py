"""The other streams of a video: which of them a container can hold, and in which form."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from frames.video.container import is_cover, open_video, rate_of
from frames.video.sound import Sound
from frames.video.texts import TEXTS

COPY, AAC, MOV_TEXT, SUBRIP = "copy", "aac", "mov_text", "subrip"
TIMECODE = "timecode"
FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
"""Codecs of covers: name and type of the file that Matroska makes of them."""
NAMES = {"audio": "sound", "subtitle": "subtitles", "attachment": "attachment", "data": "data", "video": "video"}


@dataclass(frozen=True)
class Track:
    """One stream to carry over: its index in the input, and COPY or the codec it becomes."""

    index: int
    kind: str  # "audio", "subtitle", "cover", "attachment"
    codec: str = COPY


@dataclass(frozen=True)
class Plan:
    """The tracks and the time code to carry over into a container, and notes for the user on what is left out or
    encoded anew."""

    tracks: tuple[Track, ...] = ()
    notes: tuple[str, ...] = ()
    timecode: str = ""


def plan_tracks(
    path: Path, suffix: str, sound: bool = True, subtitles: bool = True, fps: Fraction | None = None
) -> Plan:
    """Decide which other streams of a video are carried over into a container, and how.

    Args:
        suffix: of the video to write, in lower case.
        sound, subtitles: whether they are wanted; there are no notes on unwanted ones.
        fps: a constant rate, in place of the video's times.
    Raises:
        FileNotFoundError, ValueError: as `frames.video.container.open_video`; sound that can neither be copied nor
            become AAC.
    """
    wanted = {"audio": sound, "subtitle": subtitles}
    tracks, notes = [], []
    with open_video(path) as (container, picture):
        for stream in _others(container, picture):
            if not wanted.get(stream.type, True):
                continue
            try:
                track, note = _carried(stream, suffix)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            tracks += [track] if track else []
            notes += [note] if note else []
        timecode = _tag(container, TIMECODE) or _tag(picture, TIMECODE)
        stereo = _tag(picture, "stereo_mode")
        rate = fps or rate_of(picture)
    if stereo and suffix != ".mkv":
        notes.append(f"the tag of its 3D picture, {stereo}, is left out: {suffix} has no place for it")
    if timecode and suffix != ".mkv" and not _holds_timecode(suffix, timecode, rate):
        notes.append(
            f"its time code {timecode} is left out: {suffix} does not take it at {float(rate):g} frames a second"
        )
        timecode = ""
    return Plan(tuple(tracks), tuple(notes), timecode)


def _tag(given: InputContainer | Stream, name: str) -> str:
    """A tag, whatever the case of its name; empty where there is none."""
    return next((text for key, text in given.metadata.items() if key.lower() == name), "")


def _holds_timecode(suffix: str, timecode: str, rate: Fraction) -> bool:
    """Whether a container takes a time code. One that drops frames, marked by a semicolon, is for 30 or 60 a second."""

    def add(container: OutputContainer) -> None:
        container.add_mux_stream("h264", rate=rate, width=16, height=16).metadata[TIMECODE] = timecode

    found = re.fullmatch(r"[0-9]{2}:[0-9]{2}:[0-9]{2}([:;.])[0-9]{1,3}", timecode)
    return found is not None and (found[1] == ":" or round(rate) % 30 == 0) and _begins(suffix, add)


def _others(container: InputContainer, picture: Stream) -> Iterator[Stream]:
    """The streams beside the picture, without the tracks in which MP4 keeps the chapters' titles and the time code."""
    titles = 1 if container.chapters() and container.format.name.startswith("mov") else 0
    for stream in container.streams:
        if stream.type == "data" and _tag(stream, TIMECODE):
            continue
        if stream.type == "data" and titles:
            titles -= 1
        elif stream.index != picture.index:
            yield stream


def _carried(stream: Stream, suffix: str) -> tuple[Track | None, str]:
    """The track that a stream becomes, None if it is left out, and a note for the user, perhaps empty.

    Raises:
        ValueError: sound that cannot be carried over, without the file's name.
    """
    codec = stream.codec_context.name if stream.codec_context else ""
    kind = "cover" if stream.type == "video" and is_cover(stream) else stream.type
    what = f"{NAMES.get(kind, kind)} (stream {stream.index}{codec and ', '}{codec})"
    if stream.type == "attachment" and suffix == ".mkv":
        return Track(stream.index, "attachment"), ""
    if kind == "cover" and codec in COVERS:
        return Track(stream.index, "cover"), ""
    if kind == "video":
        return None, f"{what} is left out: the first video is upscaled"
    if stream.type == "audio" and codec:
        if _copies(stream, suffix) and not (suffix == ".mp4" and codec.startswith("pcm_")):  # which few programs play
            return Track(stream.index, "audio"), ""
        if not _becomes_aac(stream, suffix):
            remedy = f"give {'a name in .mkv or ' * (suffix != '.mkv')}--no-audio"
            raise ValueError(f"{what} can neither be copied into {suffix} nor become AAC; {remedy}")
        return Track(stream.index, "audio", AAC), f"{what} becomes AAC, for {suffix} does not take it as it is"
    if codec in TEXTS:
        of_mp4 = suffix != ".mkv"
        target = COPY if (codec == MOV_TEXT) == of_mp4 else MOV_TEXT if of_mp4 else SUBRIP
        return Track(stream.index, "subtitle", target), ""
    if stream.type == "subtitle" and codec and _copies(stream, suffix):
        return Track(stream.index, "subtitle"), ""
    return None, f"{what} is left out: {suffix} has no place for it"


def _copies(stream: Stream, suffix: str) -> bool:
    """Whether a container takes a stream unchanged, judged by whether it writes a header for it."""
    return _begins(suffix, lambda container: container.add_stream_from_template(stream, opaque=True))


def _becomes_aac(stream: Stream, suffix: str) -> bool:
    """Whether the encoder of AAC takes the rate and the channels of a sound stream."""
    return _begins(suffix, lambda container: Sound(stream, container))


def _begins(suffix: str, add: Callable[[OutputContainer], object]) -> bool:
    """Whether a container can write its header with the stream that `add` adds."""
    try:
        with av.open(io.BytesIO(), "w", format=FORMATS[suffix]) as container:
            add(container)
            container.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True
