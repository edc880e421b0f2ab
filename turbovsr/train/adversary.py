"""The optional adversary of a stage: a critic of single frames that learns to tell GT from SR beside the model.

A U-Net with spectral normalisation, as Real-ESRGAN's (arXiv 2107.10833) at a fraction of its width: it gives a score
for each pixel, so that the model is told where its picture looks wrong. Hinge loss; Adam of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from turbovsr.rearrange import frames_to_batch
from turbovsr.train.distributed import average_gradients
from turbovsr.train.step_random import StepRandom


@dataclass(frozen=True, kw_only=True)
class GanConfig:
    weight: float = 0.02  # of the critic's word in the model's loss
    start: int = 0  # the step that the critic begins at
    width: int = 24
    learning_rate: float = 2e-4
    frames: int = 4  # of a batch that it sees

    def __post_init__(self):
        if self.weight <= 0 or self.frames < 1 or self.width < 1:
            raise ValueError("gan: weight must be above 0, frames and width at least 1; leave `gan` out for none")


class Critic(nn.Module):
    """Frames (N, 3, H, W) in [-1, 1] -> scores (N, 1, H, W), high where they look real; H and W multiples of 8."""

    def __init__(self, width: int):
        super().__init__()
        widths = [width, 2 * width, 4 * width, 4 * width]
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.down = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False)) for a, b in zip(widths, widths[1:])
        )
        self.up = nn.ModuleList(
            spectral_norm(nn.Conv2d(b, a, 3, padding=1, bias=False)) for a, b in zip(widths, widths[1:])
        )
        self.head = nn.Sequential(
            spectral_norm(nn.Conv2d(width, width, 3, padding=1, bias=False)),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 1, 3, padding=1),
        )

    def forward(self, frames: Tensor) -> Tensor:
        x = F.leaky_relu(self.stem(frames), 0.2)
        skips = []
        for conv in self.down:
            skips.append(x)
            x = F.leaky_relu(conv(x), 0.2)
        for conv in reversed(self.up):
            x = skips.pop() + F.leaky_relu(conv(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
        return self.head(x)


class Adversary:
    """A critic, its optimizer, and the two losses. Each process has its own copy; they stay equal."""

    def __init__(self, config: GanConfig, device: torch.device):
        self.config = config
        self.critic = Critic(config.width).to(device)
        self.optimizer = torch.optim.Adam(self.critic.parameters(), config.learning_rate, betas=(0.5, 0.99))

    def choose(self, sr: Tensor, gt: Tensor, random: StepRandom) -> tuple[Tensor, Tensor]:
        """The frames it sees of SR and GT clips (B, 3, T, H, W), (N, 3, H, W) each."""
        sr, gt = frames_to_batch(sr), frames_to_batch(gt)
        chosen = torch.from_numpy(random.numpy.permutation(len(sr))[: self.config.frames])
        return sr[chosen], gt[chosen]

    def judge(self, loss: Tensor, sr: Tensor) -> dict[str, Tensor]:
        """The model's loss with the critic's word added, and that word alone."""
        self.critic.eval().requires_grad_(False)  # the power iteration of the norm goes on in `learn` only
        word = -self.critic(sr).mean()
        self.critic.train().requires_grad_(True)
        return {"loss": loss + self.config.weight * word, "gan": word.detach()}

    def learn(self, sr: Tensor, gt: Tensor) -> dict[str, Tensor]:
        """One step of the critic on the same frames."""
        fake, real = self.critic(torch.cat([sr.detach(), gt])).chunk(2)
        loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        average_gradients(list(self.critic.parameters()))
        self.optimizer.step()
        return {"critic": loss.detach()}

    def state_dict(self) -> dict:
        return {"critic": self.critic.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])
