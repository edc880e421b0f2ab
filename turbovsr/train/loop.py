"""The training loop all stages share: seeded steps, gradient clipping, EMA weights, checkpoint and exact resume.

Started by `accelerate launch` or `torchrun` it trains in several processes that average their gradients; the first of
them logs, validates and saves. A kill at any moment costs the steps since the last checkpoint, nothing else.
"""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from turbovsr.train import optimizer
from turbovsr.train.adversary import Adversary
from turbovsr.train.ahead import Draw, ahead
from turbovsr.train.console import note
from turbovsr.train.distributed import average_gradients, rank, world_size
from turbovsr.train.interrupt import Interrupted, Signals
from turbovsr.train.progress import Progress
from turbovsr.train.step_random import StepRandom

PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How long and how fast a stage trains."""

    steps: int
    learning_rate: float
    warmup: int = 100
    clip_gradient: float = 0.1
    weight_decay: float = 0.0
    optimizer: str = "adamw"  # or "muon"
    ema_decay: float = 0.999
    save_every: int = 200
    validate_every: int = 1000
    picture_every: int = 500
    log_every: int = 50
    seed: int = 0


def learning_rate(config: LoopConfig, step: int) -> float:
    """Linear warm-up, then a cosine down to one percent."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    progress = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


class Loop:
    """Train the parts of `model` that `trained` names; keep an EMA copy of the whole model in `ema`.

    Args:
        folder: of `checkpoint.pt`, which is gone on from when it is there, `log.jsonl` and `pictures/`.
        adversary: a critic that learns beside the model and judges its frames; part of the checkpoint.
        precision: "bfloat16" computes the losses under autocast; weights, their averages and gradients stay float32.
    """

    def __init__(
        self,
        model: nn.Module,
        trained: list[str],
        config: LoopConfig,
        folder: Path,
        adversary: Adversary | None = None,
        precision: str = "float32",
    ):
        self.model, self.config, self.folder, self.adversary = model, config, Path(folder), adversary
        self.folder.mkdir(parents=True, exist_ok=True)
        model.requires_grad_(False)
        for name in trained:
            getattr(model, name).requires_grad_(True)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.device, self.autocast = self.parameters[0].device, PRECISIONS[precision]
        self.ema = copy.deepcopy(model).requires_grad_(False)
        self.optimizer = optimizer.build(config.optimizer, self.parameters, config.learning_rate, config.weight_decay)
        self.step = 0
        self.checkpoint = self.folder / "checkpoint.pt"
        if self.checkpoint.is_file():
            self._resume()

    def run(
        self,
        losses: Callable[[StepRandom, nn.Module], dict[str, Tensor]],
        validate: Callable[[nn.Module], dict[str, float]] | None = None,
        draw: Draw | None = None,
        workers: int = 0,
        picture: Callable[[nn.Module, Path], None] | None = None,
    ) -> nn.Module:
        """Train to `config.steps`; `losses(random, ema)["loss"]` is minimised, the other entries are logged.

        Args:
            validate: scores of the EMA model, logged every `validate_every` steps and at the end.
            draw: draws a step's batch ahead of time, in `workers` processes; the losses find it in `random.drawn`.
            picture: writes a picture of what the EMA model does, every `picture_every` steps and at the end.
        Returns:
            The EMA model. A line of JSON a log interval goes to `log.jsonl` in the folder.
        Raises:
            Interrupted: after SIGINT or SIGTERM, when the running step is done and saved.
            ValueError: the gradient is not finite.
        """
        config = self.config
        drawn = ahead(draw, config.seed, self.step, config.steps, workers) if draw else None
        progress = Progress(config.steps, self.step, shown=rank() == 0)
        try:
            with Signals() as signals, progress:
                sums, samples, since = defaultdict(float), 0, time.time()
                while self.step < config.steps:
                    random = next(drawn) if drawn else StepRandom(config.seed, self.step)
                    terms, stop = self._train_step(losses, random, signals.caught is not None)
                    self.step += 1
                    samples += world_size() * len(random.drawn[0]) if random.drawn else 0
                    for name, value in terms.items():
                        sums[name] += value
                    progress.show(self.step, terms["loss"], samples / (time.time() - since))
                    if self.step % config.log_every == 0:
                        means = {k: round(v / config.log_every, 5) for k, v in sums.items()}
                        spent = time.time() - since
                        means |= {
                            "lr": learning_rate(config, self.step - 1),
                            "s/step": round(spent / config.log_every, 3),
                        }
                        if samples:
                            means["samples/s"] = round(samples / spent, 2)
                        self._log(means, progress)
                        sums, samples, since = defaultdict(float), 0, time.time()
                    self._at_intervals(validate, picture, progress)
                    # One process alone stops at once; several at the end of the step that all have heard of it in.
                    if stop or (signals.caught is not None and world_size() == 1):
                        self._save()
                        raise Interrupted(self.step, signals.caught)
        finally:
            del drawn  # and with it the processes that draw
        return self.ema

    def _train_step(self, losses: Callable, random: StepRandom, stop: bool) -> tuple[dict[str, float], bool]:
        """One step of the model, and one of its adversary.

        Returns the terms to log, and whether some process wants to stop.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.step)
        with torch.autocast(self.device.type, self.autocast) if self.autocast else nullcontext():
            terms = losses(random, self.ema)
            pair = terms.pop("pair", None)
            if self.adversary and pair is not None and self.step >= self.adversary.config.start:
                pair = self.adversary.choose(*pair, random)
                terms |= self.adversary.judge(terms["loss"], pair[0])
            else:
                pair = None
        self.optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        stop = average_gradients(self.parameters, stop)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.config.clip_gradient)
        if not torch.isfinite(norm):
            raise ValueError(
                f"step {self.step}: the gradient is not finite; start again with the same command and a lower"
                " learning rate, it goes on from the last checkpoint"
            )
        self.optimizer.step()
        self._update_ema()
        if pair is not None:
            with torch.autocast(self.device.type, self.autocast) if self.autocast else nullcontext():
                terms |= self.adversary.learn(*pair)
        return {name: value.item() for name, value in terms.items()} | {"gradient": norm.item()}, stop

    def _at_intervals(self, validate, picture, progress: Progress) -> None:
        if rank() > 0:
            return
        config, last = self.config, self.step == self.config.steps
        if validate is not None and (self.step % config.validate_every == 0 or last):
            scores = validate(self.ema)
            if scores:
                self._log(scores, progress)
        if picture is not None and (self.step % config.picture_every == 0 or last):
            (self.folder / "pictures").mkdir(exist_ok=True)
            picture(self.ema, self.folder / "pictures" / f"{self.step:07d}.png")
        if self.step % config.save_every == 0 or last:
            self._save()

    def _update_ema(self) -> None:
        # A young average forgets its start faster: (1+n)/(10+n) until the configured decay is reached.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for average, value in zip(self.ema.parameters(), self.model.parameters()):
                if value.requires_grad:
                    average.lerp_(value, 1 - decay)

    def _log(self, entries: dict[str, float], progress: Progress) -> None:
        if rank() > 0:
            return
        path = self.folder / "log.jsonl"
        with open(path, "a+b") as file:
            if file.tell() and not _ends_a_line(file):
                file.write(b"\n")  # a kill cut the last line short
            file.write((json.dumps({"step": self.step} | entries) + "\n").encode())
        progress.line(self.step, entries)

    def _save(self) -> None:
        if rank() > 0:
            return
        state = {
            "step": self.step,
            "processes": world_size(),
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "optimizer_name": self.config.optimizer,
        }
        if self.adversary:
            state["adversary"] = self.adversary.state_dict()
        partial = self.checkpoint.with_suffix(".partial")  # a kill while writing must not cost the last good state
        with open(partial, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.checkpoint)

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        began_with = state.get("optimizer_name", "adamw")
        if began_with != self.config.optimizer:
            raise ValueError(
                f"{self.checkpoint}: begun with loop.optimizer={began_with}, not {self.config.optimizer}: set it back, or"
                f" remove {self.folder} to begin anew"
            )
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.adversary:
            if "adversary" in state:
                self.adversary.load_state_dict(state["adversary"])
            else:
                note(f"{self.checkpoint}: saved without an adversary; it starts from the beginning")
        note(f"resumed at step {self.step}")
        if state.get("processes", world_size()) != world_size():
            note(f"resumed with {world_size()} processes instead of {state['processes']}: other data from here on")


def _ends_a_line(file) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
