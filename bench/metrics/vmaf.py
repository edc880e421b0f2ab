"""VMAF (Netflix), computed by an ffmpeg that has libvmaf: called as a program, on lossless temporary files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from bench.metrics.base import Kind, check_pair
from frames.errors import UserError
from frames.ffmpeg import REMEDY, programs

MODEL = "vmaf_v0.6.1"
"""The model of plain `vmaf`; every libvmaf has it."""
# RGB to BT.709 in limited range, as a player would be given it; the model looks at Y alone.
_TO_Y = (
    "scale=in_range=pc:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int+bitexact,format=yuv444p"
)
_MINIMUM = 16  # libvmaf halves the frame four times


class Vmaf:
    """0 to 100, higher is nearer. A frame's value depends on its neighbours (motion), so the clip is scored as one."""

    def __init__(self, program: str, version: str, model: str = MODEL, title: str = "VMAF") -> None:
        self._program, self._model = program, model
        self.kind = Kind(title, "", "higher", 2)
        self.signature = f"vmaf|{model}|y-bt709-limited|crop0|ffmpeg-{version}|mean-frames,clips|v1"

    def begin(self) -> VmafClip:
        return VmafClip(self._program, self._model)


class VmafClip:
    """Collects a clip's frames in raw files of a temporary folder, which is removed with this object."""

    def __init__(self, program: str, model: str) -> None:
        self._program, self._model = program, model
        self._folder = tempfile.TemporaryDirectory(prefix="vmaf-")
        self._frames = 0
        self._size = (0, 0)

    def add(self, sr: np.ndarray, gt: np.ndarray) -> None:
        check_pair(sr, gt, minimum=_MINIMUM)
        self._size, self._frames = sr.shape[:2], self._frames + 1
        for name, frame in (("sr", sr), ("gt", gt)):
            with open(Path(self._folder.name, f"{name}.rgb"), "ab") as file:
                file.write(np.ascontiguousarray(frame).data)

    def values(self) -> list[float]:
        """Each frame's VMAF.

        Raises:
            RuntimeError: ffmpeg failed (the last line that it printed is in the message).
        """
        if not self._frames:
            return []
        height, width = self._size
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "25"]
        graph = f"[0:v]{_TO_Y}[sr];[1:v]{_TO_Y}[gt];"
        graph += (
            f"[sr][gt]libvmaf=model=version={self._model}:log_fmt=json:log_path=vmaf.json"
            f":n_threads={os.cpu_count() or 1}"
        )
        command = [self._program, "-nostdin", "-hide_banner", "-loglevel", "error"]
        command += [*raw, "-i", "sr.rgb", *raw, "-i", "gt.rgb", "-filter_complex", graph, "-f", "null", "-"]
        done = subprocess.run(command, cwd=self._folder.name, capture_output=True, text=True, errors="replace")
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise RuntimeError(f"ffmpeg could not compute VMAF: {last}")
        log = json.loads(Path(self._folder.name, "vmaf.json").read_text())
        values = [frame["metrics"]["vmaf"] for frame in log["frames"]]
        if len(values) != self._frames:
            raise RuntimeError(f"ffmpeg gave VMAF of {len(values)} frames for a clip of {self._frames}")
        return values


@cache
def find_ffmpeg() -> tuple[str, str]:
    """(path, version) of an ffmpeg with libvmaf: the package imageio-ffmpeg's, else the one on PATH.

    Raises:
        UserError: there is none.
    """
    found = programs()
    for program in found:
        if " libvmaf " in _output(program, "-filters"):
            version = re.match(r"ffmpeg version (\S+)", _output(program, "-version"))
            return program, version.group(1) if version else "unknown"
    have = "the ffmpeg here has none" if found else "there is no ffmpeg here"
    raise UserError(f"vmaf needs an ffmpeg with libvmaf and {have}: {REMEDY}")


def _output(program: str, option: str) -> str:
    return subprocess.run([program, "-hide_banner", option], capture_output=True, text=True, errors="replace").stdout


def _check_model(program: str, model: str) -> None:
    """Raise UserError unless this ffmpeg's libvmaf has the model built in, by scoring two small frames."""
    color = ["-f", "lavfi", "-i", "color=size=64x64:duration=0.04"]
    command = [program, "-nostdin", "-hide_banner", "-loglevel", "error", *color, *color]
    command += ["-lavfi", f"libvmaf=model=version={model}", "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        raise UserError(f"the libvmaf of {program} has no model {model} built in; {REMEDY}")


def build(model: str = MODEL, title: str = "VMAF") -> Vmaf:
    """VMAF, computed by the ffmpeg that `find_ffmpeg` finds.

    Args:
        model: one of those built into libvmaf.
    Raises:
        UserError: there is no ffmpeg with libvmaf, or its libvmaf lacks the model.
    """
    program, version = find_ffmpeg()
    if model != MODEL:
        _check_model(program, model)
    return Vmaf(program, version, model, title)
