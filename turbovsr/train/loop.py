"""The training loop all stages share: seeded steps, gradient clipping, EMA weights, checkpoint and exact resume.

Started by `torchrun --nproc-per-node N -m turbovsr.train ...` it trains in N processes that average their gradients;
the first of them logs, validates and saves.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How long and how fast a stage trains."""

    steps: int
    learning_rate: float
    warmup: int = 100
    clip_gradient: float = 0.1
    weight_decay: float = 0.0
    ema_decay: float = 0.999
    save_every: int = 200
    validate_every: int = 1000
    log_every: int = 50
    seed: int = 0


def rank() -> int:
    """Which of the training processes this is."""
    return dist.get_rank() if dist.is_initialized() else 0


class StepRandom:
    """Every random number of one step, drawn from (seed, step, rank): a resumed run draws what an unbroken one does.

    `shared` draws alike in all processes, for choices that they must make together.
    """

    def __init__(self, seed: int, step: int):
        self.step = step
        self.shared = np.random.default_rng([seed, step])
        self.numpy = np.random.default_rng([seed, step, rank()])
        self.torch = torch.Generator().manual_seed(int(self.numpy.integers(2**62)))

    def normal(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self.torch).to(like)


def learning_rate(config: LoopConfig, step: int) -> float:
    """Linear warm-up, then a cosine down to one percent."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    progress = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


class Loop:
    """Train the parts of `model` that `trained` names; keep an EMA copy of the whole model in `ema`."""

    def __init__(self, model: nn.Module, trained: list[str], config: LoopConfig, folder: Path):
        self.model, self.config, self.folder = model, config, Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        model.requires_grad_(False)
        for name in trained:
            getattr(model, name).requires_grad_(True)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.ema = copy.deepcopy(model).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.parameters, config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay
        )
        self.step = 0
        self.checkpoint = self.folder / "checkpoint.pt"
        if self.checkpoint.is_file():
            self._resume()

    def run(
        self,
        losses: Callable[[StepRandom, nn.Module], dict[str, Tensor]],
        validate: Callable[[nn.Module], dict[str, float]] | None = None,
    ) -> nn.Module:
        """Train to `config.steps`; `losses(random, ema)["loss"]` is minimised, the other entries are logged.

        Returns the EMA model. A line of JSON a log interval goes to `log.jsonl` in the folder.
        """
        config, sums, since = self.config, defaultdict(float), time.time()
        while self.step < config.steps:
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(config, self.step)
            terms = losses(StepRandom(config.seed, self.step), self.ema)
            self.optimizer.zero_grad(set_to_none=True)
            terms["loss"].backward()
            self._average_gradients()
            norm = nn.utils.clip_grad_norm_(self.parameters, config.clip_gradient)
            if not torch.isfinite(norm):
                raise ValueError(f"step {self.step}: the gradient is not finite; resume with a lower learning rate")
            self.optimizer.step()
            self._update_ema()
            self.step += 1
            for name, value in terms.items():
                sums[name] += value.item()
            sums["gradient"] += float(norm)
            if self.step % config.log_every == 0:
                seconds = (time.time() - since) / config.log_every
                self._log({k: round(v / config.log_every, 5) for k, v in sums.items()} | {"s/step": round(seconds, 3)})
                sums, since = defaultdict(float), time.time()
            if rank() > 0:
                continue
            if validate is not None and (self.step % config.validate_every == 0 or self.step == config.steps):
                self._log(validate(self.ema))
            if self.step % config.save_every == 0 or self.step == config.steps:
                self._save()
        return self.ema

    def _average_gradients(self) -> None:
        if not dist.is_initialized():
            return
        # One message for all parameters; those that a batch did not reach count as zero.
        flat = torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in self.parameters])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for p, part in zip(self.parameters, flat.split([p.numel() for p in self.parameters])):
            p.grad = part.view_as(p)

    def _update_ema(self) -> None:
        # A young average forgets its start faster: (1+n)/(10+n) until the configured decay is reached.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for average, value in zip(self.ema.parameters(), self.model.parameters()):
                if value.requires_grad:
                    average.lerp_(value, 1 - decay)

    def _log(self, entries: dict[str, float]) -> None:
        if rank() > 0:
            return
        with open(self.folder / "log.jsonl", "a") as file:
            file.write(json.dumps({"step": self.step} | entries) + "\n")
        print(self.step, entries, flush=True)

    def _save(self) -> None:
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        partial = self.checkpoint.with_suffix(".partial")  # a kill while writing must not cost the last good state
        torch.save(state, partial)
        partial.replace(self.checkpoint)

    def _resume(self) -> None:
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        print(f"resumed at step {self.step}", flush=True)
