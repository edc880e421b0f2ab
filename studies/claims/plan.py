"""The plan of trainings in the order of the claims: sizes, steps, and the trainings of each claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from turbovsr.train.ltx.latents import Bucket

HIGHEST_COMPRESSION, LOWEST_COMPRESSION = "32x32x8", "8x8x4"
CLAIMS = ("a", "c", "b", "d")  # in the order that they are worked on
FLOW_STEPS, SHORTCUT_STEPS = (1, 2, 4, 50), (1, 2, 4)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Sizes and lengths of all trainings and clips."""

    bucket: Bucket = Bucket(96, 96, 9)  # of training clips and held-out clips
    seeds: tuple[int, ...] = (0, 1, 2)
    crop: int = 32  # of the autoencoder's training
    autoencoder_stills: int = 24
    autoencoder_clips: int = 6
    autoencoder_steps: int = 700
    width_divisor: int = 1  # of the autoencoders
    every: int = 9  # a training clip for each so many frames of a video
    held_clips: int = 4  # of each held-out video
    transformer_width: int = 96
    transformer_depth: int = 4
    transformer_heads: int = 4
    batch: int = 16
    batch_of_many_tokens: int = 4  # at 8x8x4
    pretrain_steps: int = 800
    condition_steps: int = 250
    further_steps: int = 150
    warmup: int = 20
    learning_rate: float = 1e-3
    degradation: str = "realbasicvsr"

    def scaled(self, budget: float) -> Plan:
        """The plan with all numbers of steps multiplied by `budget`."""
        names = ("autoencoder_steps", "pretrain_steps", "condition_steps", "further_steps")
        return replace(self, **{name: max(2, round(budget * getattr(self, name))) for name in names})


SMOKE = Plan(
    seeds=(0,),
    bucket=Bucket(64, 64, 9),
    autoencoder_stills=1,
    autoencoder_clips=1,
    autoencoder_steps=2,
    width_divisor=4,
    every=9,
    held_clips=1,
    transformer_width=24,
    transformer_depth=1,
    transformer_heads=2,
    batch=2,
    batch_of_many_tokens=2,
    pretrain_steps=2,
    condition_steps=2,
    further_steps=2,
    warmup=1,
    degradation="bicubic",
)


@dataclass(frozen=True)
class Arm:
    """A training of the transformer.

    Attributes:
        claim: the first claim that needs it.
        kind: of the stage, "condition" or "shortcut".
        start: the arm whose weights of the same seed it starts from; None: random weights.
        options: of the stage; `model` those of the model.
        samplers: (grid, steps) that its held-out clips are sampled with, "uniform" or "shifted"; none: not scored.
    """

    name: str
    claim: str
    steps: int
    start: str | None
    kind: str = "condition"
    options: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    samplers: tuple[tuple[str, int], ...] = ()
    space: str = HIGHEST_COMPRESSION
    has_seeds: bool = True  # False: trained once, with the first seed, for the arms of all seeds


def arms(plan: Plan, steps_of_many_tokens: int) -> list[Arm]:
    """List all trainings, each after those that it starts from.

    Args:
        steps_of_many_tokens: steps at 8x8x4 with the arithmetic of 1,000 steps at 32x32x8.
    """
    ends = (("shifted", 1), ("shifted", 50))
    condition, further = plan.condition_steps, plan.further_steps
    few = [max(2, steps * steps_of_many_tokens // 1000) for steps in (plan.pretrain_steps, condition)]
    whole = {"first_given": False}
    pretrained = partial(Arm, start=None, options=whole | {"conditioned": False}, has_seeds=False)
    adapted = partial(Arm, samplers=ends)
    converted = partial(Arm, claim="c", steps=further, start="factorized", kind="shortcut")
    return [
        pretrained("pretrained", "a", plan.pretrain_steps),
        adapted("factorized", "a", condition, "pretrained"),
        adapted("all_frames", "a", condition, "pretrained", options=whole | {"stills": False}),
        adapted("all_frames_and_stills", "a", condition, "pretrained", options=whole),
        Arm("flow", "c", further, "factorized", samplers=_grid("shifted", FLOW_STEPS) + _grid("uniform", FLOW_STEPS)),
        converted("shortcut", samplers=_grid("shifted", SHORTCUT_STEPS)),
        converted("shortcut_uniform", model={"shift_strength": 1.0}, samplers=_grid("uniform", SHORTCUT_STEPS)),
        converted("flow_on_grid", options={"bootstrap": 0.0}, samplers=_grid("shifted", FLOW_STEPS)),
        adapted("not_pretrained", "b", condition, None),
        pretrained("pretrained_8x8x4", "d", few[0], space=LOWEST_COMPRESSION),
        adapted("factorized_8x8x4", "d", few[1], "pretrained_8x8x4", space=LOWEST_COMPRESSION),
    ]


def _grid(name: str, steps: Iterable[int]) -> tuple[tuple[str, int], ...]:
    return tuple((name, count) for count in steps)
