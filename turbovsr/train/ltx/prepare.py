"""Encode photographs and videos to latents once, for training in LTX's latent space.

    python -m turbovsr.train.prepare --latents OUT --data DATA --weights FILE --bucket 1080x1920x49 1080x1920x1

Each video gives clips to the largest bucket that it fills, each photograph a still to the largest bucket of one frame.
A clip's LR is degraded `--degradations` times, each time anew. The command skips finished clips: repeat it to resume.
Started by `torchrun --nproc-per-node N -m turbovsr.train.prepare ...`, N processes share the work. At the end a sample
of each bucket is decoded and compared with GT.
"""

from __future__ import annotations

import argparse
import json
import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.distributed import is_torchelastic_launched

from frames.command_line import Parser
from frames.degradations import ClipDegradation
from frames.errors import OK, REGRESSED, UserError
from turbovsr.geometry import CELL, SPATIAL_COMPRESSION
from turbovsr.ltx.model import LTXModel
from turbovsr.pixels import to_unit
from turbovsr.train.composition import compose_plain, members
from turbovsr.train.config import degradation
from turbovsr.train.distributed import barrier, local_device, processes
from turbovsr.train.ltx.clips import Clip, find_clips
from turbovsr.train.ltx.latents import Bucket, autoencoder_mark, is_written, write_latents, write_manifest
from turbovsr.train.ltx.options import LTXModelOptions
from turbovsr.train.ltx.sharding import meta_model
from turbovsr.train.ltx.weights import fill_autoencoder
from turbovsr.train.messages import info
from turbovsr.train.readers import BrokenFile, NoUncutSequence, VideoFile
from turbovsr.weights_file import open_weights

PROGRAM = "turbovsr.train.prepare"
PATIENCE = timedelta(days=365)  # processes wait for each other at the end, and films differ in length


class LatentWriter:
    """Encodes clips and writes their latents.

    Args:
        model: its autoencoder is used; the transformer may stay on the meta device.
        make_lr: makes LR clips.
        times: number of LR clips of each clip.
    """

    def __init__(self, model: LTXModel, make_lr: ClipDegradation, times: int, out: Path, seed: int):
        self.model, self.make_lr, self.times, self.out, self.seed = model, make_lr, times, out, seed
        self.mark = autoencoder_mark(model.autoencoder)
        write_manifest(out, self.mark)

    def path(self, clip: Clip) -> Path:
        return self.out / str(clip.bucket) / f"{clip.name}.safetensors"

    def recipe(self, clip: Clip) -> str:
        """Everything that a clip's latents depend on, as JSON."""
        stat = clip.path.stat()
        source = {"source": str(clip.path), "bytes": stat.st_size, "changed": stat.st_mtime_ns, "index": clip.index}
        if isinstance(clip.media, VideoFile):
            source |= {"window": clip.window(self.seed)} | ({} if clip.media.halved else {"full": True})
        lr = {"degradation": repr(self.make_lr), "times": self.times, "seed": self.seed}
        return json.dumps(source | lr | {"encoder": self.mark["encoder_sha256"]})

    @torch.inference_mode()
    def write(self, clip: Clip) -> bool:
        """Write a clip's latents unless they are there; returns whether it wrote.

        Raises:
            BrokenFile, NoUncutSequence: there is no such clip in the file.
        """
        path, recipe = self.path(clip), self.recipe(clip)
        if is_written(path, recipe):
            return False
        rng = clip.rng(self.seed)
        gt = clip.frames(rng, clip.window(self.seed))
        latent = self.model.encode(self._tensor(gt, SPATIAL_COMPRESSION))[0]
        conditions = [self.model.condition(self._tensor(self.make_lr(gt, rng), CELL))[0] for _ in range(self.times)]
        write_latents(path, latent, conditions, recipe)
        return True

    @torch.inference_mode()
    def check(self, clip: Clip) -> float:
        """PSNR in dB, over RGB, of a clip's decoded latent."""
        with open_weights(self.path(clip)) as file:
            latent = file.get_tensor("latent")
        gt = clip.frames(clip.rng(self.seed), clip.window(self.seed))
        levels = self.model.autoencoder.mean
        decoded = torch.stack(list(self.model.autoencoder.decode_frames(latent[None].to(levels))))
        sr = decoded.float().cpu().add(1).mul(127.5).round().clamp(0, 255)[:, :, : gt.shape[1], : gt.shape[2]]
        error = (sr - torch.from_numpy(gt).permute(0, 3, 1, 2)).square().mean()
        return float(10 * torch.log10(255**2 / error))

    def _tensor(self, frames: np.ndarray, multiple: int) -> Tensor:
        """uint8 (T, H, W, 3) -> (1, 3, T, H', W') in [-1, 1], padded as the pipeline pads."""
        device = self.model.autoencoder.mean.device
        return to_unit(torch.from_numpy(frames).permute(0, 3, 1, 2), device, multiple).transpose(0, 1).unsqueeze(0)


def prepare(options: argparse.Namespace) -> int:
    """Write the latents that the arguments name; returns the exit code, 1 if a sample decodes badly."""
    device = local_device(options.device)
    torch.set_num_threads(options.threads)
    config = LTXModelOptions(size=options.size, autoencoder=options.autoencoder).config()
    model = meta_model(config)
    model.autoencoder.to(torch.bfloat16 if device.type == "cuda" else torch.float32).to_empty(device=device)
    info(f"autoencoder: {fill_autoencoder(model, options.weights, options.seed)}")
    plain = compose_plain([f"degradation={options.degradation}", "data=-", "out=-"])["degradation"]
    writer = LatentWriter(model.eval(), degradation(plain), options.degradations, options.out, options.seed)
    buckets = [Bucket.parse(text) for text in options.bucket]
    clips = find_clips(options.data, buckets, options.every, not options.full_videos)
    own = clips[int(os.environ.get("RANK", 0)) :: int(os.environ.get("WORLD_SIZE", 1))]
    written, skipped, checked = 0, 0, dict[Bucket, Clip]()
    for number, clip in enumerate(own, start=1):
        try:
            is_new = writer.write(clip)
        except (BrokenFile, NoUncutSequence) as error:
            info(f"left out: {error}")
            continue
        written, skipped = written + is_new, skipped + (not is_new)
        checked.setdefault(clip.bucket, clip)
        if is_new and written % options.report_every == 0:
            info(f"{number} of {len(own)} clips")
    info(f"{written} clips encoded, {skipped} were there, in {options.out}")
    code = _report(writer, checked, options.at_least)
    if is_torchelastic_launched():  # it would stop the others as soon as one ends with another code than 0
        with processes(torch.device("cpu"), PATIENCE):
            barrier()
    return code


def _report(writer: LatentWriter, checked: dict[Bucket, Clip], at_least: float) -> int:
    code = OK
    for bucket, clip in sorted(checked.items()):
        psnr = writer.check(clip)
        print(f"{bucket}: {clip.path.name} decodes to {psnr:.2f} dB")
        if not psnr >= at_least:
            print(f"{bucket}: below {at_least:g} dB: are these the weights of this autoencoder layout?")
            code = REGRESSED
    return code


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = Parser(f"python -m {PROGRAM} --latents", (__doc__ or "").strip())
    parser.add_argument("--latents", type=Path, required=True, dest="out", metavar="OUT", help="folder for the latents")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="like data= of turbovsr.train")
    parser.add_argument(
        "--weights", type=Path, help="file with the autoencoder, like weights= of turbovsr.train (default: random)"
    )
    parser.add_argument("--size", default="2b", help="size of the model: 2b, or 2b-tiny for a trial")
    parser.add_argument("--autoencoder", default="0.9.0", help="layout: 0.9.0, 0.9.1 or 0.9.5 (default 0.9.0)")
    parser.add_argument("--bucket", nargs="+", required=True, metavar="HxWxT", help="HR pixels and frames, 8k+1")
    parser.add_argument("--degradation", default="realbasicvsr", choices=members("degradation"), help="of LR clips")
    parser.add_argument("--degradations", type=int, default=2, help="LR clips of each clip (default 2)")
    parser.add_argument("--every", type=int, default=90, help="one clip in this many frames of a video (default 90)")
    parser.add_argument("--full-videos", action="store_true", help="use videos at full size instead of half")
    parser.add_argument("--at-least", type=float, default=25, metavar="DB", help="PSNR that decoded samples must have")
    parser.add_argument("--report-every", type=int, default=50, help="number of clips between two lines of progress")
    parser.add_argument("--seed", type=int, default=0, help="of crops and degradations")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    options = parser.parse_args(argv)
    for name in ("degradations", "every", "report_every", "threads"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')}: at least 1, got {getattr(options, name)}")
    if options.seed < 0:
        parser.error(f"--seed: at least 0, got {options.seed}")
    return options


def main(argv: list[str]) -> int:
    """Run the command and return its exit code."""
    options = arguments(argv)
    if options.weights is not None and not options.weights.exists():
        raise UserError(f"--weights {options.weights}: no such file or folder")
    return prepare(options)
