"""Scores of held-out clips: sampled latents against GT's, and decoded frames against GT frames."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from frames.bicubic import bicubic
from studies.claims.material import HeldClip, together
from studies.claims.plan import Arm
from turbovsr import checkpoints
from turbovsr.conditioning import Task
from turbovsr.ltx.model import LTXConfig, LTXModel
from turbovsr.rearrange import batch_to_frames, frames_to_batch
from turbovsr.shortcut import sample
from turbovsr.train.validate import scores

EVERY = 4  # every fourth frame of a clip is compared
NOISE_SEED = 0
REPEATS = 5  # of a timed clip
UNIFORM = 1.0  # strength of the uniform grid's shift

Scores = dict[str, dict[str, float]]
"""{clip: {metric: value}}"""


def load(path: Path) -> LTXModel:
    """Load a checkpoint of the LTX kind."""
    header = checkpoints.read_header(path)
    assert header is not None, f"{path}: not a checkpoint of TurboVSR"
    return checkpoints.build(header, LTXModel, LTXConfig).eval()


@dataclass(frozen=True)
class Sampler:
    """Sampling of a model's latents in `steps` steps on a grid of noise levels, "shifted" or "uniform".

    first_given: sample the first frame's latent, then the clip given that; otherwise all frames at once.
    """

    grid: str
    steps: int
    first_given: bool

    @property
    def name(self) -> str:
        return f"{self.grid}, {self.steps}"

    def __call__(self, model: LTXModel, condition: Tensor, noise: Tensor) -> Tensor:
        strength = UNIFORM if self.grid == "uniform" else LTXConfig.shift_strength
        frames = condition.shape[2]

        def drawn(task: Task, given: Tensor | None) -> Tensor:
            return sample(model.velocity(condition, task, given), noise[:, :, : task.frames], self.steps, strength)

        if not self.first_given:
            return drawn(Task(frames, 0), None)
        first = drawn(Task(1, 0), None)
        task = Task(frames, 1)
        return task.insert_given(drawn(task, first), first)


@torch.inference_mode()
def score_arm(
    arm: Arm, weights: Path, clips: list[HeldClip], networks: Mapping[str, nn.Module]
) -> Iterable[tuple[str, Scores]]:
    """Score an arm's samplers; yields each sampler's name and scores."""
    model, batch = load(weights), together(clips)
    latent, condition = model.encode(batch.gt), model.condition(batch.lr)
    random = torch.Generator().manual_seed(NOISE_SEED)
    noise = torch.randn(latent.shape, generator=random)
    for grid, steps in arm.samplers:
        sampler = Sampler(grid, steps, arm.options.get("first_given", True))
        drawn = sampler(model, condition, noise)
        found = {}
        for index, clip in enumerate(clips):
            own, truth = drawn[index : index + 1], latent[index : index + 1]
            values = of_frames(model.autoencoder.decode(own), clip.pixels.gt, networks)
            values["latent error"] = float((own - truth).square().mean())
            values["latent spread"] = float(own.std() / truth.std())
            found[clip.name] = values
        yield sampler.name, found


@torch.inference_mode()
def references(model: LTXModel, clips: list[HeldClip], networks: Mapping[str, nn.Module]) -> dict[str, Scores]:
    """Scores without a transformer: the enlarged LR clip, its latent decoded, and GT's latent decoded."""
    found: dict[str, Scores] = {"bicubic": {}, "condition decoded": {}, "autoencoder": {}}
    for clip in clips:
        gt, lr = clip.pixels.gt, clip.pixels.lr
        enlarged = batch_to_frames(bicubic(frames_to_batch(lr), (gt.shape[-2], gt.shape[-1])), 1)
        truth, condition = model.encode(gt), model.condition(lr)
        found["bicubic"][clip.name] = of_frames(enlarged, gt, networks)
        found["autoencoder"][clip.name] = of_frames(model.autoencoder.decode(truth), gt, networks)
        found["condition decoded"][clip.name] = of_frames(model.autoencoder.decode(condition), gt, networks) | {
            "latent error": float((condition - truth).square().mean()),
            "latent spread": float(condition.std() / truth.std()),
        }
    return found


def of_frames(sr: Tensor, gt: Tensor, networks: Mapping[str, nn.Module]) -> dict[str, float]:
    """PSNR-Y and the networks' distances over every fourth frame."""
    return scores(sr.float().clamp(-1, 1)[:, :, ::EVERY], gt[:, :, ::EVERY], networks)


@torch.inference_mode()
def seconds(weights: Path, clip: HeldClip, steps: Iterable[int]) -> dict[str, float]:
    """Processor seconds for one clip (condition, sampling, decoding) by number of steps; the fastest of five."""
    model = load(weights)
    noise = torch.randn(model.condition(clip.pixels.lr).shape, generator=torch.Generator().manual_seed(NOISE_SEED))
    found = {}
    for count in steps:
        sampler, times = Sampler("shifted", count, True), []
        for _ in range(REPEATS):
            before = time.process_time()
            model.autoencoder.decode(sampler(model, model.condition(clip.pixels.lr), noise))
            times.append(time.process_time() - before)
        found[str(count)] = min(times)
    return found
