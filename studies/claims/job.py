"""The work of the study in the order of the claims; each finished part is a file, and is skipped by the next call."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from frames.errors import UserError
from studies.claims import scoring, training
from studies.claims.autoencoder import autoencoder_tflop, train_autoencoder
from studies.claims.files import read, write
from studies.claims.material import autoencoder_alone, held_out, write_training_latents
from studies.claims.plan import CLAIMS, HIGHEST_COMPRESSION, LOWEST_COMPRESSION, Arm, Plan, arms
from turbovsr.train.log import append_line
from turbovsr.train.messages import info


class Job:
    """The study, whose parts are kept in a folder.

    Args:
        data, held: files to train on, and videos to score on.
        work: checkpoints, weights, latents and scores go here.
        networks: perceptual metrics by name.
    Raises:
        UserError: the folder was begun with another plan.
        FileNotFoundError: a path is missing, or no video can be used.
    """

    def __init__(
        self, plan: Plan, data: Sequence[Path], held: Sequence[Path], work: Path, networks: Mapping[str, nn.Module]
    ):
        self.plan, self.data, self.work, self.networks = plan, data, work, networks
        described = json.loads(json.dumps(dataclasses.asdict(plan)))
        if read(work / "plan.json") not in (None, described):
            raise UserError(f"{work}: begun with other sizes or another --budget; name another --work, or remove it")
        self.clips = held_out(plan, held)
        work.mkdir(parents=True, exist_ok=True)
        write(work / "plan.json", described)
        write(work / "videos.json", {clip.name: clip.video for clip in self.clips})
        write(work / "tflop.json", {space: _tflop(plan, space) for space in (HIGHEST_COMPRESSION, LOWEST_COMPRESSION)})

    def run(self) -> None:
        """Train and score all parts that are not finished. Raises `Interrupted` after a signal, once it has saved."""
        planned = arms(self.plan, training.steps_of_many_tokens(self.plan))
        for claim in CLAIMS:
            # Seeds are the outer loop, so that what is finished can be compared at any time.
            for seed in self.plan.seeds:
                for arm in planned:
                    if arm.claim == claim and (arm.has_seeds or seed == self.plan.seeds[0]):
                        self._prepare(arm.space)
                        self._arm(arm, seed)
            info(f"claim {claim}: done")

    def _prepare(self, space: str) -> None:
        """Train a compression's autoencoder, encode the training clips, and score what needs no transformer."""
        folder = self.work / space
        if (folder / "references.json").is_file():
            return
        with self._timed(f"autoencoder {space}"):
            weights = train_autoencoder(self.plan, space, self.data, folder)
        with self._timed(f"latents {space}"):
            write_training_latents(self.plan, space, weights, self.data, folder / "latents")
        model = autoencoder_alone(self.plan, space, weights)
        write(folder / "references.json", scoring.references(model, self.clips, self.networks))

    def _arm(self, arm: Arm, seed: int) -> None:
        """Train an arm and score it."""
        folder = training.folder_of(self.plan, arm, seed, self.work)
        scored = folder / "scores.json"
        if scored.is_file() or (not arm.samplers and (folder / f"{arm.kind}.safetensors").is_file()):
            return
        with self._timed(f"{folder.name}, training"):
            weights = training.train_arm(self.plan, arm, seed, self.work)
        if not arm.samplers:
            return
        with self._timed(f"{folder.name}, scores"):
            found = dict(scoring.score_arm(arm, weights, self.clips, self.networks))
        write(scored, found)
        if seed == self.plan.seeds[0] and arm.name.startswith("factorized"):
            write(folder / "seconds.json", scoring.seconds(weights, self.clips[0], (1, 2, 4)))

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        """Log how long a part took, also if it is interrupted."""
        info(part)
        began, processor = time.time(), time.process_time()
        try:
            yield
        finally:
            spent: dict[str, Any] = {"part": part, "seconds": round(time.time() - began, 1)}
            spent["cpu_seconds"] = round(time.process_time() - processor, 1)
            append_line(self.work / "times.jsonl", 0, spent)


def _tflop(plan: Plan, space: str) -> dict[str, float]:
    """TFLOP of a compression's autoencoder and of its training, by which the two compressions are compared."""
    return {
        "autoencoder, a clip there and back": autoencoder_tflop(plan, space),
        "training, a step of stills and one of clips": training.tflop_of_two_steps(plan, space),
    }
