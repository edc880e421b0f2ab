"""Long clips and large frames: steps between chunks, seams between tiles, memory, colour casts, and cost by chunk.

python -m studies.chunks              # all parts, for the packaged weights; --weights FILE for others
python -m studies.chunks --only cost  # operations by chunk and overlap: their defaults were chosen by it

Lines with a limit say whether it is met; the exit code is 1 if one is not.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from skimage import data
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from frames.bicubic import bicubic
from frames.command_line import Parser, guarded, process
from frames.errors import UserError
from turbovsr import TurboVSR
from turbovsr.color_fix import coarse_band
from turbovsr.geometry import CELL, SCALE, SPATIAL_COMPRESSION, clip_frames, pad_to

STEP_BAR = 1.5  # largest change of a still clip where chunks meet, over the largest inside chunks
TILE_BAR = 45.0  # dB between tiled and whole
MEMORY_BAR = 1.05  # peak memory of 500 frames over that of 50
KINDS = ("steps", "tiles", "memory", "colours", "cost")


def photo(height: int, width: int, halved: bool) -> Tensor:
    """The middle of an unseen photograph, uint8 (3, height, width), at most 148x224 halved and 300x451 whole."""
    pixels = torch.from_numpy(data.chelsea().copy()).permute(2, 0, 1)[None].float()
    if halved:
        pixels = bicubic(pixels[..., :296, :448], (148, 224))
    top, left = (pixels.shape[-2] - height) // 2, (pixels.shape[-1] - width) // 2
    return pixels[0, :, top : top + height, left : left + width].round().clamp(0, 255).to(torch.uint8)


def steps(build: Callable[..., TurboVSR], size: tuple[int, int], frames: int) -> bool:
    """Measure changes from frame to frame of a still clip, where chunks meet and inside them."""
    upscaler = build()
    length = clip_frames(upscaler.chunk)
    new = length - upscaler.overlap
    starts = range(new, frames - upscaler.overlap, new)
    frame = photo(*size, halved=True)
    if not starts:
        raise UserError(f"a clip of {frames} frames has one chunk: give --frames of at least {length + 1}")
    across: list[float] = []
    inside: list[float] = []
    before: Tensor | None = None
    for index, sr in enumerate(upscaler.stream(frame for _ in range(frames))):
        sr = sr.float()
        if before is not None:
            meets = any(start <= index <= start + upscaler.overlap for start in starts)
            (across if meets else inside).append((sr - before).abs().mean().item())
        before = sr
        if index == new - 1:
            end_of_first = sr
    assert before is not None
    drift = (before - end_of_first).abs().mean().item()
    ratio = max(across) / max(inside)
    print(f"still clip, {frames} frames of {size[0]}x{size[1]}, {len(starts)} places where chunks meet, grey levels:")
    print(f"  inside chunks: mean {sum(inside) / len(inside):.3f}, largest {max(inside):.3f}")
    print(f"  where they meet: mean {sum(across) / len(across):.3f}, largest {max(across):.3f}")
    print(f"  last frame against the end of the first chunk: {drift:.3f}")
    return verdict("  largest where they meet / largest inside", ratio, "at most", STEP_BAR)


def tiles(build: Callable[..., TurboVSR], size: tuple[int, int], tile: int) -> bool:
    """Measure the PSNR between a panned photograph decoded whole and in tiles."""
    height, width = size
    picture = photo(height, width + 8, halved=False)
    clip = torch.stack([picture[:, :, shift : shift + width] for shift in range(9)])
    whole, tiled = (build(tile=edge).upscale(clip).float() for edge in (0, tile))
    error = (whole - tiled).square().mean(dim=(1, 2, 3))
    worst = 10 * torch.log10(255**2 / error.max()).item()  # inf where they are equal
    largest = (whole - tiled).abs().max().item()
    print(f"9 frames of {height}x{width}, whole and in tiles of {tile}: largest difference {largest:.0f}")
    return verdict("  PSNR between them, worst frame [dB]", worst, "at least", TILE_BAR)


def memory(arguments: argparse.Namespace) -> bool:
    """Measure the peak memory of processes that stream clips of two lengths."""
    few, many = arguments.memory_frames
    base, short, long = (peak_of_a_process(arguments, frames) for frames in (0, few, many))
    height, width = arguments.size
    print(f"streaming {height}x{width}, peak resident memory: {few} frames {short:.0f} MiB, {many} {long:.0f} MiB,")
    each = (short - base) * 2**20 / (height * width * min(few, clip_frames(arguments.chunk)))
    print(f"  {base:.0f} MiB with the weights loaded; {each:.0f} bytes more for each LR pixel and frame of a chunk")
    return verdict(f"  {many} frames / {few} frames", long / short, "at most", MEMORY_BAR)


def peak_of_a_process(arguments: argparse.Namespace, frames: int) -> float:
    """Peak memory in MiB of a fresh process that streams `frames` frames."""
    command = [sys.executable, "-m", "studies.chunks", "--stream", str(frames), "--chunk", str(arguments.chunk)]
    command += ["--overlap", str(arguments.overlap), "--precision", arguments.precision]
    command += ["--size", *map(str, arguments.size)]
    command += ["--weights", arguments.weights] if arguments.weights else []
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_peak_of_stream(build: Callable[..., TurboVSR], size: tuple[int, int], frames: int) -> None:
    """Print the peak resident memory in MiB after streaming; no frames: after loading the weights."""
    upscaler = build()
    frame = photo(*size, halved=True)
    if frames:
        for _ in upscaler.stream(frame for _ in range(frames)):
            pass
    print(peak_memory())


def peak_memory() -> float:
    """Largest resident set of this process so far, MiB.

    From /proc if there is one: the value of getrusage is inherited from the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        peak = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def colours(build: Callable[..., TurboVSR], size: tuple[int, int]) -> bool:
    """Measure the difference in colour between an SR photograph and its LR frame, for each colour fix."""
    lr = photo(*size, halved=True)
    print("colours of SR minus LR where both show the same, grey levels: red, green, blue; mean size of the difference")
    for fix in ("none", "wavelet", "adain"):
        sr = build(color_fix=fix).upscale(lr[None])[0].float()
        difference = coarse_band(torch.nn.functional.avg_pool2d(sr, SCALE) - lr.float())
        cast = ", ".join(f"{x:+.3f}" for x in difference.mean(dim=(1, 2)).tolist())
        print(f"  {fix:8} {cast}; {difference.abs().mean():.3f}")
    return True


@torch.no_grad()
def cost(build: Callable[..., TurboVSR], size: tuple[int, int]) -> bool:
    """Count multiply-accumulates for each new frame of a long clip, by chunk and overlap, with one sampling step."""
    model = build().model.float()
    height, width = (pad_to(side, CELL) for side in size)
    sides = (pad_to(SCALE * side, SPATIAL_COMPRESSION) for side in size)
    encode = giga(lambda: model.encode(torch.zeros(1, 3, 1, *sides)))
    cells = torch.zeros(1, model.config.latent_channels, 2, height // CELL, width // CELL)
    decode = giga(lambda: list(model.decode_frames(torch.zeros(1, 3, 9, height, width), cells))) / 9
    print(f"10^9 multiply-adds at {size[0]}x{size[1]}: decoding a frame {decode:.2f}, encoding one {encode:.2f};")
    print("for each new frame, all included:")
    for chunk in (2, 3, 5, 9):
        frames = clip_frames(chunk)
        clip = torch.zeros(1, 3, frames, height, width)
        noise = cells[:, :, :1].expand(-1, -1, chunk, -1, -1)
        condition = model.condition(clip)
        sample = giga(partial(model.condition, clip))
        sample += giga(partial(model.sample_rest, condition, noise[:, :, :1], noise, 1))
        row = (f"{(encode + sample + frames * decode) / (frames - overlap):6.2f}" for overlap in (1, 2, 3, 4))
        print(f"  chunk {chunk} ({frames:2} frames), overlap 1 to 4: {' '.join(row)}; sampling {sample:.2f} a chunk")
    return True


def giga(call: Callable[[], object]) -> float:
    """Count the multiply-accumulates of a call, in 10^9."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() / 2e9


def verdict(what: str, value: float, sense: str, bar: float) -> bool:
    met = value <= bar if sense == "at most" else value >= bar
    print(f"{what}: {value:.3f} ({sense} {bar:g}: {'met' if met else 'MISSED'})")
    return met


def main() -> int:
    parser = Parser("python -m studies.chunks", (__doc__ or "").strip())
    parser.add_argument("--only", choices=KINDS, action="append")
    parser.add_argument("--weights")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--chunk", type=int, default=5)
    parser.add_argument("--overlap", type=int, default=3)
    parser.add_argument("--frames", type=int, default=129, help="frames of the still clip")
    parser.add_argument("--size", type=int, nargs=2, default=(72, 104), help="LR height and width, at most 148 224")
    parser.add_argument("--memory-frames", type=int, nargs=2, default=(50, 500), metavar=("FEW", "MANY"))
    parser.add_argument("--tiled-size", type=int, nargs=2, default=(296, 440), help="LR height and width for tiles")
    parser.add_argument("--tile", type=int, default=152)
    parser.add_argument("--stream", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    build = partial(
        TurboVSR,
        arguments.weights,
        precision=arguments.precision,
        chunk=arguments.chunk,
        overlap=arguments.overlap,
    )
    if arguments.stream is not None:
        print_peak_of_stream(build, arguments.size, arguments.stream)
        return 0
    measure = {
        "steps": lambda: steps(build, arguments.size, arguments.frames),
        "tiles": lambda: tiles(build, arguments.tiled_size, arguments.tile),
        "memory": lambda: memory(arguments),
        "colours": lambda: colours(build, arguments.size),
        "cost": lambda: cost(build, (180, 320)),
    }
    return 0 if all([measure[kind]() for kind in arguments.only or KINDS]) else 1


if __name__ == "__main__":
    process(lambda _: guarded("studies.chunks", main))
