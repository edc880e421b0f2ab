"""The upscaler of a command: its template, its environment, and its identity for the store's key."""

from __future__ import annotations

import hashlib
import os
import shlex
import string
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from baselines.external import process
from bench.methods.contract import Descriptor, MethodKind
from frames.ffmpeg import REMEDY, programs
from frames.listing import files_below

FIELDS = ("input", "output", "scale", "ffmpeg")
VERSION_TIMEOUT_S = 60


class External:
    """An external command that runs once for each clip, described by a configuration alone; see docs/methods.md.

    Args:
        command: the command, as one string (split as a shell would, but no shell runs it) or a list of words.
            `{input}`, `{output}` and `{scale}` are filled in; `{ffmpeg}` is the ffmpeg of the package imageio-ffmpeg
            or else the one on PATH; braces meant literally are doubled.
        scale: a whole number of at least 1.
        input: form of the LR frames: a pattern such as "%08d.png" (PNG files, counted from 0, in the folder `{input}`),
            or a name such as "clip.mkv" (`{input}` is a lossless H.264 RGB video of 25 frames per second).
        output: form of the SR frames: a pattern such as "*.png" or "**/*.png" (images below the folder `{output}`,
            which exists and is empty), or a name such as "clip.mp4" (`{output}` is that video).
        version_command: prints the program's version; kept in the record and part of the key of stored frames.
        depends: files and folders whose content belongs to the method too: weights, a checkout.
        cwd: where the command runs; relative paths in it start there. None: the current folder.
        env: environment variables to set; null removes one.
        timeout_s: one call that takes longer fails its clip.
        kind: "image" or "video", for the record, like `licence` and `weights`.
        label: name of the method in the record.
    Raises:
        FileNotFoundError: program, `cwd` or a file of `depends` is missing.
        ValueError: a template that cannot be filled in, or `depends` that is no list.
        process.ProgramError: the version command failed.
    """

    def __init__(
        self,
        command: str | Sequence[str],
        scale: int,
        input: str = "%08d.png",
        output: str = "*.png",
        version_command: str | Sequence[str] | None = None,
        depends: Sequence[str] = (),
        cwd: str | None = None,
        env: Mapping[str, str | None] | None = None,
        timeout_s: float | None = None,
        kind: MethodKind = "video",
        licence: str = "not known",
        weights: str = "not known",
        label: str | None = None,
    ) -> None:
        if scale < 1 or scale != int(scale):
            raise ValueError(f"scale must be a whole number of at least 1, not {scale}")
        if isinstance(depends, str):
            raise ValueError(f"method.depends={depends}: write a list, method.depends=[{depends}]")
        self._scale, self._timeout_s = int(scale), timeout_s
        self.reads, self.writes = input, output
        self._cwd = Path(cwd or ".").absolute()
        if not self._cwd.is_dir():
            raise FileNotFoundError(f"method.cwd={cwd}: no such folder")
        changes = env or {}
        kept = {name: value for name, value in os.environ.items() if name not in changes}
        self._env = kept | {name: str(value) for name, value in changes.items() if value is not None}
        self._words = _words(command, "command")
        _check_template(self._words, "command", needed=("input", "output"))
        program = self._found(self._words, "command")
        version = self._version(version_command)
        self.identity = {
            "program": _file_digest(program),
            "words": [_file_digest(file) for word in _values(self._words[1:]) if (file := self._cwd / word).is_file()],
            "depends": [_content_digest(self._cwd / path) for path in depends],
            "version": version,
        }
        self.descriptor = Descriptor(
            name=label or program.name,
            scale=self._scale,
            kind=kind,
            device="elsewhere",
            dtype="not known",
            licence=licence,
            weights=weights,
            notes=(version or "version not asked for").strip().partition("\n")[0],
        )

    def upscale_files(self, lr: Path, sr: Path) -> None:
        """Run the command once.

        Args:
            lr: the folder of frames or the video to read, as `reads` says.
            sr: the folder to fill (there and empty) or the video to write, as `writes` says.
        Raises:
            process.ProgramError: see `process.run`.
        """
        self._run(self._words, self._timeout_s, input=str(lr), output=str(sr), scale=self._scale)

    def _version(self, command: str | Sequence[str] | None) -> str | None:
        if not command:
            return None
        words = _words(command, "version_command")
        _check_template(words, "version_command")
        self._found(words, "version_command")
        return self._run(words, VERSION_TIMEOUT_S, input="", output="", scale=self._scale)

    def _found(self, words: Sequence[str], option: str = "command") -> Path:
        return process.find(words[0].format(ffmpeg=_ffmpeg(words[0])), self._cwd, self._env.get("PATH"), option)

    def _run(self, words: Sequence[str], timeout_s: float | None, **fields) -> str:
        filled = [word.format(ffmpeg=_ffmpeg(word), **fields) for word in words[1:]]
        return process.run([str(self._found(words)), *filled], self._cwd, self._env, timeout_s)


def _words(command: str | Sequence[str], option: str) -> list[str]:
    words = shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
    if not words:
        raise ValueError(f"method.{option} is empty; write the program and its arguments")
    return words


def _values(words: Sequence[str]) -> list[str]:
    """The words of a command, and the parts after the `=` of those that have one (`--model=FILE`)."""
    return [value for word in words for value in (word, word.partition("=")[2]) if value]


def _check_template(words: Sequence[str], option: str, needed: Sequence[str] = ()) -> None:
    used = set()
    for word in words:
        try:
            used |= {field for _, field, _, _ in string.Formatter().parse(word) if field is not None}
        except ValueError as error:
            raise ValueError(f"method.{option}: '{word}': {error}; a brace meant literally is doubled") from error
    known = ", ".join(f"{{{name}}}" for name in FIELDS)
    for name in sorted(used - set(FIELDS)):
        raise ValueError(f"method.{option}: unknown {{{name}}}; known: {known}; a brace meant literally is doubled")
    for name in needed:
        if name not in used:
            raise ValueError(f"method.{option}: {{{name}}} is missing: the program must be told what to read and write")


def _ffmpeg(word: str) -> str:
    """The ffmpeg to fill into a word; it is only searched for if the word asks for it."""
    return _find_ffmpeg() if "{ffmpeg}" in word else ""


@cache
def _find_ffmpeg() -> str:
    found = programs()
    if not found:
        raise FileNotFoundError(f"{{ffmpeg}}: there is none here; {REMEDY}")
    return found[0]


def _file_digest(file: Path) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _content_digest(path: Path) -> str:
    """sha256 of a file, or of all files below a folder with their names; hidden ones and byte code do not count."""
    if path.is_file():
        return _file_digest(path)
    if not path.is_dir():
        raise FileNotFoundError(f"method.depends: {path}: no such file or folder")
    digest = hashlib.sha256()
    for file in sorted(files_below(path)):
        name = file.relative_to(path)
        if not any(part.startswith(".") or part == "__pycache__" for part in name.parts):
            digest.update(f"{name.as_posix()} {_file_digest(file)}\n".encode())
    return digest.hexdigest()
