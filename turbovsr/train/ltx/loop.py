"""The training loop for sharded models: accumulation, the terms of all processes together, checkpoints in parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict
from torch.distributed.tensor import DTensor

from turbovsr.ltx.model import LTXModel
from turbovsr.train.distributed import world_size
from turbovsr.train.log import ProgressBar, five_digits
from turbovsr.train.loop import Loop
from turbovsr.train.ltx import parts
from turbovsr.train.ltx.loss import TERMS, terms_of
from turbovsr.train.ltx.pace import Pace
from turbovsr.train.ltx.samples import SampleBatch
from turbovsr.train.messages import info
from turbovsr.train.options import LoopConfig
from turbovsr.train.rng import StepRng


class ShardedLoop(Loop):
    """`Loop` for a model and an EMA model whose transformers are sharded; weights and losses are those of one process.

    Args:
        ema: holds the same weights as the model.
        keep_last: number of checkpoints that are kept.
        pace: counts tokens and arithmetic.
    """

    every_process_acts = True  # each computes with what all of them hold

    def __init__(self, model: LTXModel, ema: LTXModel, config: LoopConfig, folder: Path, keep_last: int, pace: Pace):
        self.keep_last, self.pace = keep_last, pace
        self._sums = torch.zeros(len(TERMS), 2, dtype=torch.float64)  # errors and samples since the last line
        super().__init__(model, [], config, folder, ema=ema)

    def _backward(self, loss: Any, batch: SampleBatch, rng: StepRng) -> tuple[dict[str, Tensor], None]:
        """Accumulate the gradients of the micro-batches; each is averaged over the processes while it is computed.

        `loss(micro-batch, EMA model)` gives the error of each sample, (b,): `turbovsr.train.ltx.loss.LatentLoss`.
        """
        sums = torch.zeros(len(TERMS), 2, device=self.device)
        for part in batch.split():
            errors = loss(part, self.ema)
            (errors.sum() / len(batch)).backward()
            for term, error in zip(terms_of(part), errors.detach()):
                sums[TERMS.index(term)] += torch.stack([error, torch.ones_like(error)])
            self.pace.add(part.latent_shape, world_size() * len(part))
        dist.all_reduce(sums)
        self._sums += sums.cpu()
        return {"loss": sums[:, 0].sum() / sums[:, 1].sum()}, None

    def _finish_gradients(self, stop: bool) -> tuple[float, bool]:
        norm = nn.utils.clip_grad_norm_(self.parameters, self.config.clip_gradient)
        wanted = torch.tensor([float(stop)], device=self.device)
        dist.all_reduce(wanted)
        return (norm.full_tensor() if isinstance(norm, DTensor) else norm).item(), bool(wanted > 0)

    def _log(self, entries: dict[str, float], progress: ProgressBar) -> None:
        if "s/step" in entries:
            means = {n: five_digits((e / c).item()) for n, (e, c) in zip(TERMS, self._sums) if c}
            self._sums.zero_()
            entries = entries | means | self.pace.entries()
        super()._log(entries, progress)

    @property
    def _parts(self) -> Path:
        return self.folder / "checkpoints"

    def _is_saved(self) -> bool:
        return bool(parts.saved_steps(self._parts))

    @property
    def _adamw(self) -> torch.optim.Optimizer:
        assert isinstance(self.optimizer, torch.optim.Optimizer), "the options of the kind allow adamw alone"
        return self.optimizer

    def _state(self) -> dict[str, Any]:
        """The trained weights, their EMA and the optimizer's state, this process's part of each."""
        trained = {name: value for name, value in self.model.named_parameters() if value.requires_grad}
        averages = dict(self.ema.named_parameters())
        return {
            "model": trained,
            "ema": {name: averages[name] for name in trained},
            "optimizer": get_optimizer_state_dict(self.model, self._adamw),
            "processes": torch.tensor(world_size()),
        }

    def _save(self) -> None:
        parts.save(self._parts, self.step, self._state(), self.keep_last)

    def _resume(self) -> None:
        state, step = self._state(), parts.saved_steps(self._parts)[-1]
        parts.load(self._parts, step, state)
        set_optimizer_state_dict(self.model, self._adamw, state["optimizer"])
        self.step = step
        info(f"resumed at step {self.step}")
        before = int(state["processes"])
        if before != world_size():
            info(f"resumed with {world_size()} processes instead of {before}: the batches stay the same")
