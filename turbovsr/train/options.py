"""Options of training: everything that a recipe or the command line can set, as dataclasses that check their values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from frames.errors import did_you_mean
from turbovsr.checkpoints import packaged
from turbovsr.model import ModelConfig
from turbovsr.train.data_options import Augmentation, BatchConfig, DataConfig
from turbovsr.train.schema import at_least, positive, share, within
from turbovsr.train.stage_checks import check_components, check_crop, check_generator, check_trained, check_window

PARTS = ("encoder", "decoder", "projection", "transformer", "decoder.colours")
OPTIMIZERS = ("adamw", "muon")
PRECISIONS = ("auto", "float32", "bfloat16")
MOST_PROCESSES = 512  # threads and workers
LARGEST_SEED = 2**63 - 1  # of torch's generators; seeds of parts are a few above `seed`


@dataclass(frozen=True, kw_only=True)
class ReconstructionConfig:
    """Weights of the loss's terms, and how many frames of a batch the perceptual networks see from step `start` on."""

    pixel: float = 1.0  # Charbonnier distance
    temporal: float = 0.0  # Charbonnier distance of the changes from frame to frame: against noise that boils
    motion: float = 0.0  # see `turbovsr.train.motion`: against detail that swims
    fine: float = 0.0  # Charbonnier distance of what a mean over 5x5 pixels leaves
    chroma: float = 0.0  # mean squared error of Cb and Cr, in [-1, 1]: distances of RGB hardly see them
    lattice: float = 0.0  # see `turbovsr.train.lattice`
    lpips: float = 0.0
    dists: float = 0.0
    lpips_vgg: float = 0.0
    jitter: bool = False  # whether the networks see frames randomly shifted and resized, SR and GT alike
    window: int = 0  # with jitter, edge in pixels of the part of a frame that they see, 32 at least; 0: all but 16 px
    resized: float = 0.5  # share of the steps in which they see it at another size, with jitter
    lpips_frames: int = 3
    dists_frames: int = 1
    vgg_frames: int = 0  # that LPIPS-vgg sees; 0: those of DISTS, by LPIPS's heads on the features of DISTS
    start: int = 0

    def __post_init__(self):
        at_least(self, 0, "pixel", "temporal", "motion", "fine", "chroma", "lattice", "lpips", "dists", "lpips_vgg")
        at_least(self, 0, "start", "vgg_frames")
        at_least(self, 1, "lpips_frames", "dists_frames")
        share(self, "resized")
        check_window(self)


@dataclass(frozen=True, kw_only=True)
class GanConfig:
    """Adversarial loss of a stage; leave `gan` out to train without."""

    weight: float = 0.02  # of the generator's adversarial loss
    start: int = 0  # first step that includes it
    width: int = 24  # channels of the discriminator's first layer
    learning_rate: float = 2e-4
    frames: int = 4  # frames of a batch that the discriminator sees

    def __post_init__(self):
        positive(self, "weight", "learning_rate")
        at_least(self, 1, "frames", "width")
        at_least(self, 0, "start")


@dataclass(frozen=True, kw_only=True)
class ComponentsConfig:
    """Batches and clips from which the principal components are computed that initialise the latent."""

    batches: int = 40
    clips: int = 8

    def __post_init__(self):
        at_least(self, 1, "batches", "clips")


@dataclass(frozen=True, kw_only=True)
class MixConfig:
    """Latents that the decoder is trained with in a stage of kind joint."""

    oracle: float = 0.2  # share of the clips with the encoder's latent
    none: float = 0.15  # share of the clips without a latent; the other clips have sampled ones
    several_steps: float = 0.3  # probability that latents are sampled in 2 or 4 steps instead of one
    flow_weight: float = 0.03  # of the flow loss beside the reconstruction loss

    def __post_init__(self):
        share(self, "oracle", "none", "several_steps")
        at_least(self, 0, "flow_weight")
        if self.oracle + self.none > 1:
            raise ValueError(f"oracle and none are shares of one whole, {self.oracle:g} + {self.none:g} is above 1")


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """Length and pace of a stage."""

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

    def __post_init__(self):
        at_least(self, 1, "steps", "save_every", "validate_every", "picture_every", "log_every")
        positive(self, "learning_rate", "clip_gradient")
        at_least(self, 0, "warmup", "weight_decay")
        share(self, "ema_decay")
        if self.optimizer not in OPTIMIZERS:
            known = did_you_mean(self.optimizer, OPTIMIZERS)
            raise ValueError(f"optimizer: unknown optimizer '{self.optimizer}'{known}")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Options that all kinds of stages have."""

    kind: str
    trained: tuple[str, ...]
    crop: int
    loop: LoopConfig
    start: str | None = None  # the stage whose weights it starts from, a packaged name or a .safetensors file
    new_decoder: bool = False  # whether the decoder begins anew and only the other parts start from those weights
    batch: BatchConfig = field(default_factory=BatchConfig)
    augmentation: Augmentation = field(default_factory=Augmentation)
    even_head: bool = False  # whether the head writes no pattern for constant features, see `turbovsr.train.phases`
    latent_noise_std: float = 0.0  # largest standard deviation of the noise on given latents, whose own is 1
    optional: bool = False  # trained where it is named as stage=, not with stage=all

    def __post_init__(self):
        for part in self.trained:
            if part not in PARTS:
                raise ValueError(f"trained: unknown part '{part}'{did_you_mean(part, PARTS)}")
        if not self.trained:
            raise ValueError(f"trained: name at least one of {', '.join(PARTS)}")
        if self.crop < 32 or self.crop % 32:
            raise ValueError(f"crop must be a multiple of 32, got {self.crop}")
        at_least(self, 0, "latent_noise_std")


@dataclass(frozen=True, kw_only=True)
class Autoencoding(Stage):
    """Training of encoder and decoder, or of the decoder alone (latent_dropout 1)."""

    reconstruction: ReconstructionConfig = field(default_factory=ReconstructionConfig)
    latent_dropout: float = 0.0  # share of the clips that are decoded without their latent
    components: ComponentsConfig | None = None
    gan: GanConfig | None = None

    def __post_init__(self):
        super().__post_init__()
        share(self, "latent_dropout")
        check_crop(self)
        check_components(self)
        check_trained(self, *(("decoder",) if self.latent_dropout == 1 else ("encoder", "decoder")))

    @property
    def trains_encoder(self) -> bool:
        """Whether the encoder is trained; the decoder alone learns where all clips are decoded without their latent."""
        return "encoder" in self.trained and self.latent_dropout < 1


@dataclass(frozen=True, kw_only=True)
class Diffusion(Stage):
    """Training of projection and transformer on the latents of a fixed encoder."""

    bootstrap: float = 0.25  # share of shortcut examples
    condition_dropout: float = 0.0  # share of the condition's values that are zeroed

    def __post_init__(self):
        super().__post_init__()
        check_generator(self)
        check_trained(self, "projection", "transformer")


@dataclass(frozen=True, kw_only=True)
class Joint(Stage):
    """Training of transformer and decoder through sampled latents."""

    reconstruction: ReconstructionConfig = field(default_factory=ReconstructionConfig)
    bootstrap: float = 0.25
    condition_dropout: float = 0.0
    mix: MixConfig = field(default_factory=MixConfig)
    gan: GanConfig | None = None

    def __post_init__(self):
        super().__post_init__()
        check_generator(self)
        check_crop(self)
        if self.mix.none == 1 and self.mix.flow_weight == 0:
            check_trained(self, "decoder")


@dataclass(frozen=True, kw_only=True)
class Colours(Stage):
    """Training of the decoder's layers that clean colours, see `turbovsr.train.colours`."""

    def __post_init__(self):
        super().__post_init__()
        if self.trained != ("decoder.colours",):
            raise ValueError(f"trained must be [decoder.colours] with kind=colours, got {list(self.trained)}")


@dataclass(frozen=True, kw_only=True)
class Distillation(Stage):
    """Training of the decoder towards another upscaler's SR frames, see `turbovsr.train.distillation`."""

    reconstruction: ReconstructionConfig = field(default_factory=ReconstructionConfig)  # loss towards those frames
    gt_pixel: float = 0.0  # weight of the Charbonnier distance from the pairs' GT
    gt_reconstruction: ReconstructionConfig | None = None  # if given, all clips come from the data, under this loss
    gt_stills: float = 0.0  # share of the batches of stills that come from the data
    latent_dropout: float = 0.2  # share of the stills and clips that are decoded without a latent

    def __post_init__(self):
        super().__post_init__()
        at_least(self, 0, "gt_pixel")
        share(self, "gt_stills", "latent_dropout")
        check_crop(self)
        if self.trained != ("decoder",):
            raise ValueError(f"trained must be [decoder] with kind=distillation, got {list(self.trained)}")
        if self.gt_stills > 0 and self.gt_reconstruction is None:
            raise ValueError("gt_stills needs gt_reconstruction, the loss of those stills")


KINDS = {
    "autoencoding": Autoencoding,
    "diffusion": Diffusion,
    "joint": Joint,
    "colours": Colours,
    "distillation": Distillation,
}


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The whole configuration; `conf/train.yaml` describes its options."""

    data: str | list[str]
    out: str
    stage: str
    stages: dict[str, Stage]
    model: ModelConfig
    degradation: Any
    lpips: str = ""
    vgg: str = ""
    dists: str = ""
    pairs: str = ""
    validate: list[str] = field(default_factory=list)
    validate_frames: int = 1
    video_share: float = 0.35
    halve_videos: bool = True
    cache_mb: int = 512
    workers: int = 1
    threads: int = 1
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    compile: bool = False  # the networks of the loss by torch.compile

    def __post_init__(self):
        if self.stage != "all" and self.stage not in self.stages:
            raise ValueError(f"unknown stage '{self.stage}'{did_you_mean(self.stage, [*self.stages, 'all'])}")
        known = [*self.stages, *packaged()]
        for name, stage in self.stages.items():
            if (start := stage.start) is not None and start not in known and not start.endswith(".safetensors"):
                raise ValueError(f"stages.{name}.start: unknown stage '{start}'{did_you_mean(start, known)}")
            if stage.loop.seed:
                raise ValueError(f"stages.{name}.loop.seed: a stage has no seed of its own; seed= is that of all")
            if "decoder.colours" in stage.trained and not any(self.model.decoder_colours):
                raise ValueError(f"stages.{name}: trains layers that clean colours, and model.decoder_colours has none")
        if self.precision not in PRECISIONS:
            raise ValueError(f"unknown precision '{self.precision}'{did_you_mean(self.precision, PRECISIONS)}")
        share(self, "video_share")
        at_least(self, 1, "cache_mb", "validate_frames")
        within(self, 0, LARGEST_SEED, "seed")
        within(self, 1, MOST_PROCESSES, "threads")
        within(self, 0, MOST_PROCESSES, "workers")
        if (self.validate_frames - 1) % 8:
            raise ValueError(f"validate_frames must be 8k+1, got {self.validate_frames}")
        if "" in self.paths or not self.paths:
            raise ValueError("data: name at least one folder or file")
        if not self.out:
            raise ValueError("out: name a folder for checkpoints and weights")

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.data,) if isinstance(self.data, str) else tuple(self.data)

    @property
    def data_config(self) -> DataConfig:
        return DataConfig(self.paths, self.video_share, self.halve_videos, self.cache_mb)
