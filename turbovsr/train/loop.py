"""Training loop of all stages: seeded steps, gradient clipping, EMA weights, checkpoints and exact resume.

Started by `accelerate launch` or `torchrun`, it trains in several processes that average their gradients; the first one
logs, validates and saves. A kill costs the steps since the last checkpoint and nothing else.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from turbovsr.generator import Generator
from turbovsr.train import checkpoint, optimizer
from turbovsr.train.adversarial import AdversarialLoss
from turbovsr.train.batch import Batch
from turbovsr.train.batch_loader import DrawBatch, load_batches
from turbovsr.train.distributed import average_gradients, rank, world_size
from turbovsr.train.interrupt import Interrupted, Signals
from turbovsr.train.log import IntervalMeans, ProgressBar, append_line
from turbovsr.train.losses import LossOutput
from turbovsr.train.messages import info
from turbovsr.train.options import LoopConfig
from turbovsr.train.rng import StepRng

AUTOCAST_TYPES = {"float32": None, "bfloat16": torch.bfloat16}

Validate = Callable[[Any], dict[str, float]]
WritePicture = Callable[[Any, Path], None]


def learning_rate(config: LoopConfig, step: int) -> float:
    """Linear warm-up, then a cosine down to one percent."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    progress = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


class Loop:
    """Train the parts of `model` that `trained` names, and keep an EMA copy of the whole model in `ema`.

    Args:
        trained: names of parts; none: the weights that require gradients.
        folder: for `checkpoint.pt`, from which training resumes, `log.jsonl` and `pictures/`.
        adversarial: an adversarial loss whose discriminator is trained too; it is part of the checkpoint.
        precision: "bfloat16" computes the losses under autocast; weights, their averages and gradients stay float32.
        ema: where the EMA weights are kept; None: in a copy of the model.
        constrain: changes the model's weights in place after each step, for conditions that training must keep.
    """

    every_process_acts = False  # whether all processes validate and save, not the first alone

    def __init__(
        self,
        model: Generator,
        trained: list[str],
        config: LoopConfig,
        folder: Path,
        adversarial: AdversarialLoss | None = None,
        precision: str = "float32",
        ema: Generator | None = None,
        constrain: Callable[[Any], None] | None = None,
    ):
        self.model, self.config, self.folder, self.adversarial = model, config, Path(folder), adversarial
        self.folder.mkdir(parents=True, exist_ok=True)
        if trained:
            model.requires_grad_(False)
        for name in trained:
            model.get_submodule(name).requires_grad_(True)
        self.constrain = constrain
        if constrain is not None:
            constrain(model)
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.device, self.autocast_type = self.parameters[0].device, AUTOCAST_TYPES[precision]
        self.ema = (copy.deepcopy(model) if ema is None else ema).requires_grad_(False)
        self.optimizer = optimizer.build(config.optimizer, self.parameters, config.learning_rate, config.weight_decay)
        self.step = 0
        self.checkpoint = self.folder / checkpoint.NAME
        if self._is_saved():
            self._resume()
            for group in self.optimizer.param_groups:  # the saved ones are of the options at the time of saving
                group["weight_decay"] = config.weight_decay

    def run(
        self,
        loss: Callable[..., Any],
        draw: DrawBatch,
        workers: int = 0,
        validate: Validate | None = None,
        write_picture: WritePicture | None = None,
    ) -> Any:
        """Train to `config.steps` and return the EMA model.

        Args:
            loss: minimised on each batch; a `TrainingLoss`, unless a subclass asks for another function.
            draw: draws a step's batch, in `workers` processes ahead of time.
            validate: scores of the EMA model, logged every `validate_every` steps and at the end.
            write_picture: writes a picture of the EMA model's frames, every `picture_every` steps and at the end.
        Raises:
            Interrupted: after SIGINT or SIGTERM, when the current step is finished and saved.
            ValueError: a gradient is not finite; the checkpoint is beyond the last step.
        """
        if self.step > self.config.steps:
            raise ValueError(
                f"{self.folder}: trained to step {self.step}, beyond loop.steps={self.config.steps}: set that to"
                f" {self.step} to end with the weights that are there, or remove {self.folder} to start anew"
            )
        batches = load_batches(draw, self.config.seed, self.step, self.config.steps, workers)
        progress = ProgressBar(self.config.steps, self.step, shown=rank() == 0)
        try:
            with Signals() as signals, progress:
                means = IntervalMeans()
                for batch, rng in batches:
                    terms, stop = self._train_step(loss, batch.to(self.device), rng, signals.caught is not None)
                    self.step += 1
                    means.add(terms, world_size() * len(batch))
                    progress.update(self.step, terms["loss"], means.samples_per_second)
                    if self.step % self.config.log_every == 0:
                        self._log(means.entries(learning_rate(self.config, self.step - 1)), progress)
                        means = IntervalMeans()
                    self._act_at_intervals(validate, write_picture, progress)
                    # A single process stops at once, several at the end of the step in which all learn of the signal.
                    if stop or (signals.caught is not None and world_size() == 1):
                        self._save()
                        raise Interrupted(self.step, signals.caught)
        finally:
            batches.close()  # ends the worker processes
        return self.ema

    def _train_step(
        self, loss: Callable[..., Any], batch: Any, rng: StepRng, stop: bool
    ) -> tuple[dict[str, float], bool]:
        """Train the model, and the discriminator if there is one, on one batch.

        Returns the terms to log, and whether some process wants to stop.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        terms, pair = self._backward(loss, batch, rng)
        norm, stop = self._finish_gradients(stop)
        if not math.isfinite(norm):
            raise ValueError(
                f"step {self.step}: the gradient is not finite; repeat the command with a lower learning rate, it"
                " resumes from the last checkpoint"
            )
        self.optimizer.step()
        if self.constrain is not None:
            self.constrain(self.model)
        self._update_ema()
        if self.adversarial and pair is not None:
            with self._autocast():
                terms["discriminator"] = self.adversarial.discriminator_step(*pair)
        return {name: value.item() for name, value in terms.items()} | {"gradient": norm}, stop

    def _backward(
        self, loss: Callable[..., Any], batch: Any, rng: StepRng
    ) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor] | None]:
        """Compute a batch's gradients; returns the terms to log, and the SR and GT frames for the discriminator."""
        with self._autocast():
            output = loss(batch, rng, self.ema)
            total, terms, pair = self._add_adversarial_loss(output, batch, rng)
        total.backward()
        return terms, pair

    def _finish_gradients(self, stop: bool) -> tuple[float, bool]:
        """Average gradients over processes and clip them; returns their norm, and whether any process wants to stop."""
        stop = average_gradients(self.parameters, stop)
        return nn.utils.clip_grad_norm_(self.parameters, self.config.clip_gradient).item(), stop

    def _add_adversarial_loss(
        self, output: LossOutput, batch: Batch, rng: StepRng
    ) -> tuple[Tensor, dict[str, Tensor], tuple[Tensor, Tensor] | None]:
        """Add the adversarial loss; returns the sum, the terms to log, and SR and GT frames for the discriminator."""
        total, terms, pair = output.loss, dict(output.terms), None
        if self.adversarial and output.sr is not None and self.step >= self.adversarial.config.start:
            pair = self.adversarial.select_frames(output.sr, batch.gt, rng)
            adversarial = self.adversarial.generator_loss(pair[0])
            total = total + self.adversarial.config.weight * adversarial
            terms["adversarial"] = adversarial.detach()
        return total, {"loss": total.detach()} | terms, pair

    def _autocast(self) -> AbstractContextManager:
        return torch.autocast(self.device.type, self.autocast_type) if self.autocast_type else nullcontext()

    def _act_at_intervals(
        self, validate: Validate | None, write_picture: WritePicture | None, progress: ProgressBar
    ) -> None:
        if rank() > 0 and not self.every_process_acts:
            return
        config, last = self.config, self.step == self.config.steps
        if validate is not None and (self.step % config.validate_every == 0 or last):
            scores = validate(self.ema)
            if scores:
                self._log(scores, progress)
        if write_picture is not None and (self.step % config.picture_every == 0 or last):
            (self.folder / "pictures").mkdir(exist_ok=True)
            write_picture(self.ema, self.folder / "pictures" / f"{self.step:07d}.png")
        if self.step % config.save_every == 0 or last:
            self._save()

    def _update_ema(self) -> None:
        # A young average forgets its start faster: (1+n)/(10+n) until the configured decay is reached.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for average, value in zip(self.ema.parameters(), self.model.parameters()):
                if value.requires_grad:
                    average.lerp_(value, 1 - decay)

    def _log(self, entries: dict[str, float], progress: ProgressBar) -> None:
        if rank() > 0:
            return
        append_line(self.folder / "log.jsonl", self.step, entries)
        progress.line(self.step, entries)

    def _is_saved(self) -> bool:
        """Whether there is a state to resume from."""
        return self.checkpoint.is_file()

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
        if self.adversarial:
            state["adversarial"] = self.adversarial.state_dict()
        checkpoint.save(self.checkpoint, state)

    def _resume(self) -> None:
        state = checkpoint.load(self.checkpoint)
        saved_with = state.get("optimizer_name", "adamw")
        if saved_with != self.config.optimizer:
            raise ValueError(
                f"{self.checkpoint}: started with loop.optimizer={saved_with}, not {self.config.optimizer}: set it"
                f" back, or remove {self.folder} to start anew"
            )
        try:
            self.model.load_state_dict(state["model"])
            self.ema.load_state_dict(state["ema"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.adversarial and "adversarial" in state:
                self.adversarial.load_state_dict(state["adversarial"])
        except (RuntimeError, KeyError, ValueError) as error:
            raise ValueError(
                f"{self.checkpoint}: saved with another model, other trained parts or another discriminator: set the"
                f" options back, or remove {self.folder} to start anew"
            ) from error
        self.step = state["step"]
        if self.adversarial and "adversarial" not in state:
            info(f"{self.checkpoint}: saved without a discriminator; it starts untrained")
        info(f"resumed at step {self.step}")
        if state.get("processes", world_size()) != world_size():
            info(f"resumed with {world_size()} processes instead of {state['processes']}: batches differ from here on")
