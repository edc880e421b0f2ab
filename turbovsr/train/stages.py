"""Training of the stages of a recipe, one after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from frames.atomic import replacing
from frames.degradations import ClipBicubic
from frames.errors import UserError, one_line
from frames.locks import locked
from turbovsr import checkpoints, loading
from turbovsr.conditioning import trains_first_frame
from turbovsr.model import Model, ModelConfig
from turbovsr.train import checkpoint
from turbovsr.train.adversarial import AdversarialLoss
from turbovsr.train.autoencoding import AutoencodingLoss, normalise_latent
from turbovsr.train.batch import Batch
from turbovsr.train.batch_loader import DrawBatch
from turbovsr.train.colours import ColoursLoss
from turbovsr.train.components import start_from_components
from turbovsr.train.data import ClipSource
from turbovsr.train.diffusion import DiffusionLoss
from turbovsr.train.distillation import DistillationLoss, draw_taught, open_pairs
from turbovsr.train.distributed import barrier, broadcast, rank
from turbovsr.train.joint import JointLoss
from turbovsr.train.loop import Loop
from turbovsr.train.losses import ReconstructionLoss, TrainingLoss
from turbovsr.train.ltx.options import LTXTrainConfig
from turbovsr.train.ltx.stages import train_latent_stage
from turbovsr.train.messages import info
from turbovsr.train.motion import with_motion
from turbovsr.train.options import Autoencoding, Colours, Diffusion, Distillation, Joint, Stage, TrainConfig
from turbovsr.train.perceptual import check_networks, perceptual_networks
from turbovsr.train.phases import even_out
from turbovsr.train.provenance import (
    changed_since,
    is_finished,
    metadata_of,
    start_weights,
    store_settings,
    weights_path,
)
from turbovsr.train.rng import StepRng
from turbovsr.train.validate import build_validation

NEW_BLOCKS = ("decoder.colours.", "decoder.before.", "decoder.inner.", "decoder.after.")
KEPT = ("use_latent",)  # metadata of the start weights that those of a stage keep: how they are decoded by default
MOST_PARAMETERS = 4_000_000_000  # of a model that is trained from random weights: 16 GB for the weights alone


def train(config: TrainConfig, device: torch.device) -> None:
    """Train the stage that the configuration names, or all of them; finished ones are skipped."""
    names = [config.stage]
    if config.stage == "all":
        names = [name for name, stage in config.stages.items() if not stage.optional]
    for name in names:  # fails now if weights or pairs are lacking, not after hours of other stages
        stage = config.stages[name]
        if not is_finished(config, name):
            check_networks(config, stage, f"stage {name}")
            if isinstance(stage, Distillation):
                open_pairs(stage, config.pairs)
    for name in names:
        if is_finished(config, name):
            changed = ", ".join(changed_since(config, name))
            others = f"; with other settings, for which remove that file and {Path(config.out) / name}: {changed}"
            info(f"stage {name} is finished: {weights_path(config, name)}{others if changed else ''}")
        else:
            with claimed(Path(config.out) / name):
                train_stage(config, name, device)
        barrier()
    info(f'done; to upscale with it: TurboVSR.from_pretrained("{weights_path(config, names[-1])}")')


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Lock a stage's folder during the block: two trainings in it would overwrite each other's checkpoint.

    Raises:
        UserError: another training holds the lock; raised in all processes of this one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        refused = ""
        if rank() == 0:
            try:
                stack.enter_context(locked(folder / "lock", wait=False))
            except BlockingIOError:
                refused = f"{folder}: another training is at work here; wait for it, or choose another folder with out="
        if refused := broadcast(refused):
            raise UserError(refused)
        if rank() == 0:
            checkpoint.remove_torn(folder)
        yield


def train_stage(config: TrainConfig, name: str, device: torch.device) -> None:
    """Train one stage, from its checkpoint if there is one, and write its EMA weights."""
    if isinstance(config, LTXTrainConfig):
        train_latent_stage(config, name, device)
        return
    stage, folder = config.stages[name], Path(config.out) / name
    info(f"stage {name}: {stage.loop.steps} steps on {device}, {', '.join(stage.trained)}")
    torch.manual_seed(config.seed)
    if config.model.consistent and not isinstance(config.degradation, ClipBicubic):
        info(
            "SR frames will agree with their LR frames, noise included: set model.consistent=false for LR that is not"
            " bicubic"
        )
    model, kept = new_model(config.model), {}
    if stage.start:
        previous, notes = loading.load(start_weights(config, name))
        kept = {key: notes[key] for key in KEPT if key in notes}
        begin = with_new_decoder if stage.new_decoder else with_new_blocks
        checkpoints.fill(model, begin(previous.state_dict(), model), stage.start)
    metadata = metadata_of(config, name)  # now: the file of the start weights may be replaced during the training
    source = ClipSource(config.data_config, stage.crop, stage.augmentation, config.degradation)
    info(source.describe())
    resumes = (folder / checkpoint.NAME).is_file()
    store_settings(config, name, folder, resumes)
    if isinstance(stage, Autoencoding) and stage.components and not resumes:
        if not config.model.decoder_detail:
            raise UserError(f"stages.{name}.components: needs model.decoder_detail=true")
        components = stage.components
        share = start_from_components(model, source, components.batches, components.clips, config.seed + 2)
        info(f"the components hold {share:.1%} of the power of the decoder's error")
    model.to(device).decoder.to(memory_format=torch.channels_last)
    ema = _run_loop(config, name, model, source, device)
    if rank() == 0:
        if isinstance(stage, Autoencoding) and stage.trains_encoder:
            normalise_latent(ema, source, stage.batch, batches=64, seed=config.seed + 1)
        with replacing(weights_path(config, name)) as temporary:
            checkpoints.save(ema, temporary, torch.float32, **kept, **metadata)


def new_model(config: ModelConfig) -> Model:
    """Build a model with random weights. Raises `UserError` for sizes that do not make one, or too large a one."""
    try:
        with torch.device("meta"):
            count = sum(parameter.numel() for parameter in Model(config).parameters())
        if count > MOST_PARAMETERS:
            raise UserError(f"model: {count / 1e9:.0f} billion parameters, {MOST_PARAMETERS / 1e9:.0f} at most")
        return Model(config)
    except (RuntimeError, ValueError, ArithmeticError, AssertionError, IndexError, TypeError) as error:
        raise UserError(f"model: these sizes do not make a model ({one_line(error)})") from error


def with_new_blocks(state: Mapping[str, Tensor], model: Model) -> dict[str, Tensor]:
    """Complete start weights with the model's own values for residual blocks of the decoder that they lack.

    New blocks begin as the identity (`turbovsr.layers.SpatialBlock`), so a deeper decoder begins with the same output.
    """
    blocks = {k: v for k, v in model.state_dict().items() if k.startswith(NEW_BLOCKS)}
    return blocks | dict(state)


def with_new_decoder(state: Mapping[str, Tensor], model: Model) -> dict[str, Tensor]:
    """Replace the decoder in start weights by the model's own, except for the linear synthesis and its statistics.

    Those belong to the encoder. The new trunk does not see the latent yet: random weights there would disturb a decoder
    that was trained without one.
    """
    of_latent = ("decoder.mean", "decoder.std", "decoder.synthesis.")
    own = {k: v for k, v in model.state_dict().items() if k.startswith("decoder.")}
    kept = {k: v for k, v in state.items() if not k.startswith("decoder.") or k.startswith(of_latent) and k in own}
    unseen = "decoder.cells_in.weight"
    return own | {unseen: torch.zeros_like(own[unseen])} | kept


def _run_loop(config: TrainConfig, name: str, model: Model, source: ClipSource, device: torch.device) -> Model:
    """Run the training loop of a stage; returns the EMA model."""
    stage = config.stages[name]
    networks = perceptual_networks(config, stage, device)
    precision = config.precision
    if precision == "auto":
        precision = "bfloat16" if device.type == "cuda" else "float32"
    adversarial = None
    if isinstance(stage, (Autoencoding, Joint)) and stage.gan:
        adversarial = AdversarialLoss(stage.gan, device)
    loop_config = dataclasses.replace(stage.loop, seed=config.seed)
    folder = Path(config.out) / name
    constrain = (lambda model: even_out(model.decoder.head)) if stage.even_head else None
    loop = Loop(model, list(stage.trained), loop_config, folder, adversarial, precision, constrain=constrain)
    validation = build_validation(config, stage, source, networks, device)
    loss = loss_of(stage, model, networks)
    return loop.run(loss, draw_of(config, stage, source), config.workers, validation, validation.picture)


def draw_of(config: TrainConfig, stage: Stage, source: ClipSource) -> DrawBatch:
    """Function that draws a step's batch. Raises `UserError` if the stage needs pairs and there are none."""
    if not isinstance(stage, Distillation):
        return lambda rng: draw_batch(stage, source, rng)
    pairs = open_pairs(stage, config.pairs)
    info(pairs.describe())
    return lambda rng: draw_taught(stage, pairs, source, rng)


def draw_batch(stage: Stage, source: ClipSource, rng: StepRng) -> Batch:
    """Draw a step's batch; kinds with a transformer alternate between the tasks, stills and clips."""
    stills = None if isinstance(stage, Autoencoding) else trains_first_frame(rng.step)
    batch = source.draw(stage.batch, rng, stills)
    return with_motion(batch, stage.reconstruction) if isinstance(stage, (Autoencoding, Joint)) else batch


def loss_of(stage: Stage, model: Model, networks: dict[str, nn.Module]) -> TrainingLoss:
    """Build the loss of a stage."""
    if isinstance(stage, Diffusion):
        return DiffusionLoss(model, stage)
    if isinstance(stage, Distillation):
        return DistillationLoss(model, stage, networks)
    if isinstance(stage, Colours):
        return ColoursLoss(model)
    if isinstance(stage, Joint):
        return JointLoss(model, stage, ReconstructionLoss(stage.reconstruction, networks))
    assert isinstance(stage, Autoencoding)
    return AutoencodingLoss(model, stage, ReconstructionLoss(stage.reconstruction, networks))
