"""What is trained, in the order of the claims: sizes, steps, and the trainings of each claim."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from turbovsr.train.ltx.latents import Bucket

MOST, LEAST = "32x32x8", "8x8x4"  # compressions
CLAIMS = ("a", "c", "b", "d")  # in the order that they are worked on
FLOW_STEPS, SHORTCUT_STEPS = (1, 2, 4, 50), (1, 2, 4)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Sizes and lengths of everything."""

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
        """The plan with so many times the steps."""
        names = ("autoencoder_steps", "pretrain_steps", "condition_steps", "further_steps")
        return replace(self, **{name: max(2, round(budget * getattr(self, name))) for name in names})


SMOKE = Plan(
    seeds=(0, 1),
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


@dataclass(frozen=True, kw_only=True)
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
    kind: str
    steps: int
    start: str | None
    options: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    samplers: tuple[tuple[str, int], ...] = ()
    space: str = MOST
    has_seeds: bool = True  # False: trained once, with the first seed, for the arms of all seeds


def arms(plan: Plan, steps_of_many_tokens: int) -> list[Arm]:
    """All trainings, each after those that it starts from.

    Args:
        steps_of_many_tokens: of a training at 8x8x4 for each 1,000 steps at 32x32x8, the arithmetic being equal.
    """
    ends, every = (("shifted", 1), ("shifted", 50)), tuple((g, n) for g in ("shifted", "uniform") for n in FLOW_STEPS)
    generator = {"conditioned": False, "first_given": False}
    whole = {"first_given": False}

    def many(steps: int) -> int:
        return max(2, steps * steps_of_many_tokens // 1000)

    condition, further = plan.condition_steps, plan.further_steps
    shortcut = tuple(("shifted", n) for n in SHORTCUT_STEPS)
    uniform = tuple(("uniform", n) for n in SHORTCUT_STEPS)
    return [
        Arm(
            name="pretrained",
            claim="a",
            kind="condition",
            steps=plan.pretrain_steps,
            start=None,
            options=generator,
            has_seeds=False,
        ),
        Arm(name="factorized", claim="a", kind="condition", steps=condition, start="pretrained", samplers=ends),
        Arm(
            name="all_frames",
            claim="a",
            kind="condition",
            steps=condition,
            start="pretrained",
            samplers=ends,
            options=whole | {"stills": False},
        ),
        Arm(
            name="all_frames_and_stills",
            claim="a",
            kind="condition",
            steps=condition,
            start="pretrained",
            samplers=ends,
            options=whole,
        ),
        Arm(name="flow", claim="c", kind="condition", steps=further, start="factorized", samplers=every),
        Arm(name="shortcut", claim="c", kind="shortcut", steps=further, start="factorized", samplers=shortcut),
        Arm(
            name="shortcut_uniform",
            claim="c",
            kind="shortcut",
            steps=further,
            start="factorized",
            samplers=uniform,
            model={"shift_strength": 1.0},
        ),
        Arm(name="not_pretrained", claim="b", kind="condition", steps=condition, start=None, samplers=ends),
        Arm(
            name="pretrained_8x8x4",
            claim="d",
            kind="condition",
            steps=many(plan.pretrain_steps),
            start=None,
            options=generator,
            has_seeds=False,
            space=LEAST,
        ),
        Arm(
            name="factorized_8x8x4",
            claim="d",
            kind="condition",
            steps=many(condition),
            start="pretrained_8x8x4",
            samplers=ends,
            space=LEAST,
        ),
    ]
