"""Options of training in LTX's latent space, beside those of `turbovsr.train.options`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

from turbovsr.ltx import presets
from turbovsr.ltx.model import LTXConfig
from turbovsr.train.data_options import BatchConfig
from turbovsr.train.options import ReconstructionConfig, Stage, TrainConfig
from turbovsr.train.schema import at_least, share
from turbovsr.train.stage_checks import check_crop


@dataclass(frozen=True, kw_only=True)
class LTXModelOptions:
    """Shape of the model on the paper's path; options that are left out are those of `size`."""

    size: str = "2b"  # or 2b-tiny
    autoencoder: str = "0.9.0"  # layout: 0.9.0, 0.9.1 or 0.9.5
    window: int = 0  # edge of an attention window in tokens; 0: attention over the whole clip
    transformer_width: int | None = None
    transformer_depth: int | None = None
    transformer_heads: int | None = None
    finest_steps: int | None = None  # of the shortcut model's grid, a power of two
    shift_strength: float | None = None  # of the sampler's noise levels; 1: a uniform grid

    def __post_init__(self):
        self.config()

    def config(self, prompt_tokens: int = 0) -> LTXConfig:
        """Make the model's configuration. Raises `ValueError` for sizes that do not make a model."""
        config = presets.configure(self.size, "paper", self.autoencoder, self.window, prompt_tokens)
        own = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if hasattr(config, f.name)}
        del own["autoencoder"]  # named "-tiny" in the configuration of a tiny size
        return dataclasses.replace(config, **{name: value for name, value in own.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class LatentStage(Stage):
    """Training in LTX's latent space; `batch` counts the samples of all processes together."""

    trains: ClassVar[str]  # the trained parts, for messages

    batch: BatchConfig = field(default_factory=lambda: BatchConfig(images=32, clips=8, frames=49))
    micro_batch: int = 1  # samples that a process computes at once; the others of a step are accumulated
    stills: bool = True  # even steps train stills; false: every step trains clips

    def __post_init__(self):
        super().__post_init__()
        at_least(self, 1, "micro_batch")
        (trained,) = (f.default for f in dataclasses.fields(self) if f.name == "trained")
        if self.trained != trained:
            raise ValueError(f"trained: the kind {self.kind} trains {self.trains}, got {list(self.trained)}")
        if self.loop.optimizer != "adamw":
            raise ValueError(f"loop.optimizer: the kind {self.kind} is trained with adamw, not {self.loop.optimizer}")


@dataclass(frozen=True, kw_only=True)
class TransformerStage(LatentStage):
    """Training of the transformer on latents."""

    trains: ClassVar[str] = "the transformer alone"

    trained: tuple[str, ...] = ("transformer",)
    crop: int = 256  # of clips that are encoded while training; stored latents have sizes of their own
    first_given: bool = True  # clips are generated given their first frame; false: all their frames at once

    def __post_init__(self):
        super().__post_init__()
        if self.even_head:
            raise ValueError(f"even_head: the kind {self.kind} trains no decoder")


@dataclass(frozen=True, kw_only=True)
class Condition(TransformerStage):
    """Flow matching at LTX's noise levels, with the LR condition."""

    uniform_levels: float = 0.1  # share of the noise levels that are uniform in 0..1, the others as in LTX
    conditioned: bool = True  # false: pre-training as a generator, the LR condition is zero

    def __post_init__(self):
        super().__post_init__()
        share(self, "uniform_levels")


@dataclass(frozen=True, kw_only=True)
class Shortcut(TransformerStage):
    """Conversion to a shortcut model: flow matching on the sampler's grid, and steps of twice the size."""

    bootstrap: float = 0.25  # share of shortcut examples

    def __post_init__(self):
        super().__post_init__()
        share(self, "bootstrap")


@dataclass(frozen=True, kw_only=True)
class Turbo(LatentStage):
    """Training of the turbo path's projection and decoder, beside the frozen model of the paper's path."""

    trains: ClassVar[str] = "the projection and the decoder"

    trained: tuple[str, ...] = ("projection", "decoder")
    crop: int = 256
    reconstruction: ReconstructionConfig = field(default_factory=ReconstructionConfig)  # against GT
    distilled: float = 0.5  # weight of the Charbonnier distance to the frames of the paper's path
    condition: float = 1.0  # weight of the projection's squared error against the encoded LR clip
    oracle: float = 0.25  # share of the samples that are decoded from GT's latent; the others from sampled ones
    steps: int = 1  # of the sampler

    def __post_init__(self):
        super().__post_init__()
        at_least(self, 0, "distilled", "condition")
        at_least(self, 1, "steps")
        share(self, "oracle")
        check_crop(self)


LATENT_KINDS: dict[str, type[LatentStage]] = {"condition": Condition, "shortcut": Shortcut, "turbo": Turbo}


@dataclass(frozen=True, kw_only=True)
class LTXTrainConfig(TrainConfig):
    """The whole configuration; `conf/train.yaml` and `conf/recipe/ltx.yaml` describe its options."""

    model: LTXModelOptions  # type: ignore[assignment]  # nano's is another
    weights: str | None = None
    prompt: str | None = None
    lora: int = 0
    keep_last: int = 2
    checkpointing: bool = True
    peak_tflops: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        at_least(self, 0, "lora", "peak_tflops")
        at_least(self, 1, "keep_last")
        for name, stage in self.stages.items():
            if isinstance(stage, Shortcut) and stage.bootstrap and self.model.config().finest_steps == 1:
                raise ValueError(f"model.finest_steps=1: stage {name} needs a step that has halves; give 2 or more")
