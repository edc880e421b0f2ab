"""Optional adversarial loss of a stage: a discriminator of single frames that is trained beside the model.

The discriminator is a U-Net with spectral normalisation, as in Real-ESRGAN (arXiv 2107.10833) but a fraction as wide.
It scores each pixel, so the model learns where its frames look wrong. Hinge loss, with an Adam optimizer of its own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from turbovsr.rearrange import frames_to_batch
from turbovsr.train.distributed import average_gradients
from turbovsr.train.options import GanConfig
from turbovsr.train.rng import StepRng


class Discriminator(nn.Module):
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


class AdversarialLoss:
    """A discriminator with its optimizer, the generator's loss and the discriminator's training step.

    Each process has its own copy; averaged gradients keep them equal.
    """

    def __init__(self, config: GanConfig, device: torch.device):
        self.config = config
        self.discriminator = Discriminator(config.width).to(device)
        self.optimizer = torch.optim.Adam(self.discriminator.parameters(), config.learning_rate, betas=(0.5, 0.99))

    def select_frames(self, sr: Tensor, gt: Tensor, rng: StepRng) -> tuple[Tensor, Tensor]:
        """Draw `config.frames` frames (N, 3, H, W) of SR and GT clips (B, 3, T, H, W), the same of both."""
        sr, gt = frames_to_batch(sr), frames_to_batch(gt)
        chosen = torch.from_numpy(rng.numpy.permutation(len(sr))[: self.config.frames])
        return sr[chosen], gt[chosen]

    def generator_loss(self, sr: Tensor) -> Tensor:
        """Adversarial loss of SR frames, without the weight: the negative mean score."""
        self.discriminator.eval().requires_grad_(False)  # the norm's power iteration advances in its own step only
        loss = -self.discriminator(sr).mean()
        self.discriminator.train().requires_grad_(True)
        return loss

    def discriminator_step(self, sr: Tensor, gt: Tensor) -> Tensor:
        """Train the discriminator on SR and GT frames (N, 3, H, W) once; returns its loss.

        Raises:
            ValueError: its gradient is not finite; the weights are as before.
        """
        fake, real = self.discriminator(torch.cat([sr.detach(), gt])).chunk(2)
        loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        parameters = list(self.discriminator.parameters())
        average_gradients(parameters)
        if not torch.isfinite(nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])):
            raise ValueError("the discriminator's gradient is not finite; lower the stage's gan.learning_rate")
        self.optimizer.step()
        return loss.detach()

    def state_dict(self) -> dict:
        return {"discriminator": self.discriminator.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])
        for group in self.optimizer.param_groups:  # the saved one is of the options at the time of saving
            group["lr"] = self.config.learning_rate
