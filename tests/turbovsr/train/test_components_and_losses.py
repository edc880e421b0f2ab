import math
import shutil

import numpy as np
import pytest
import torch
from skimage import data

from bench import assets
from bench.metrics import dists as metric
from bench.metrics import registry
from frames.errors import EnvironmentInvalid, UserError
from tests.turbovsr.conftest import TINY
from turbovsr.model import Model
from turbovsr.train.autoencoding import AutoencodingLoss
from turbovsr.train.backbones import lpips_alex
from turbovsr.train.batch import Batch
from turbovsr.train.components import start_from_components
from turbovsr.train.composition import compose_plain
from turbovsr.train.config import build_config
from turbovsr.train.data import ClipSource
from turbovsr.train.data_options import DataConfig
from turbovsr.train.diffusion import FlowLoss
from turbovsr.train.dists import Dists
from turbovsr.train.joint import JointLoss
from turbovsr.train.losses import ReconstructionLoss, charbonnier
from turbovsr.train.options import Autoencoding, Diffusion, Joint, LoopConfig, MixConfig, ReconstructionConfig
from turbovsr.train.perceptual import perceptual_networks
from turbovsr.train.prepare import held_out_mask
from turbovsr.train.rng import StepRng
from turbovsr.train.validate import scores


def test_components_make_the_latent_help_at_once(tmp_path):
    """Stripes of four pixels, in four phases and two directions: few components hold them, LR frames lose them."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "shots").mkdir()
    stripes = np.tile(np.array([60, 200, 120, 90], np.uint8), 32)
    np.save(tmp_path / "photos" / "a.npy", np.broadcast_to(stripes[:, None, None], (128, 128, 3)).copy())
    source = ClipSource(DataConfig(paths=(str(tmp_path),), video_share=0.0), crop=64)
    torch.manual_seed(0)
    model = Model(TINY)
    start_from_components(model, source, batches=2, clips=1, seed=0)
    batch = source.batch(np.random.default_rng(1), 2, 1)
    with torch.no_grad():
        latents = (None, model.encoder(batch.gt))
        error = [(model.decoder(batch.lr, z) - batch.gt).square().mean().item() for z in latents]
    assert error[1] < 0.7 * error[0]


def test_two_groups_of_frames_are_enough_for_components(tmp_path):
    (tmp_path / "photos").mkdir()
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    np.save(tmp_path / "photos" / "a.npy", picture)
    model = Model(TINY)
    start_from_components(model, ClipSource(DataConfig(paths=(str(tmp_path),)), crop=32), batches=1, clips=2, seed=0)
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_charbonnier_is_nearly_the_mean_absolute_difference():
    assert charbonnier(torch.ones(2, 3), torch.zeros(2, 3)).item() == pytest.approx(1, abs=1e-4)
    assert charbonnier(torch.ones(2), torch.ones(2)).item() == pytest.approx(1e-3, rel=1e-3)


def test_lpips_refuses_a_missing_backbone(tmp_path):
    with pytest.raises(FileNotFoundError, match="alexnet.ckpt"):
        lpips_alex(tmp_path / "none.ckpt")


def dists(asset) -> Dists:
    return Dists(asset("lpips/vgg16.ckpt"), asset("dists/weights.pt"))


def test_the_training_loss_is_the_dists_that_is_reported(asset):
    gt = data.astronaut()[:96, :128]
    sr = np.clip(gt + np.random.default_rng(0).normal(0, 20, gt.shape), 0, 255).astype(np.uint8)
    x, y = (torch.from_numpy(frame).permute(2, 0, 1)[None] / 127.5 - 1 for frame in (sr, gt))
    assert dists(asset)(x, y).item() == pytest.approx(metric.Dists("cpu").score(sr, gt), abs=1e-5)


def test_the_perceptual_terms_come_after_their_first_step_and_look_at_a_few_frames():
    seen = []

    def network(sr, gt):
        seen.append(len(sr))
        return (sr - gt).abs().mean(dim=(1, 2, 3))

    loss = ReconstructionLoss(ReconstructionConfig(lpips=2.0, lpips_frames=3, start=5), {"lpips": network})
    sr, gt = torch.ones(2, 3, 9, 8, 8), torch.zeros(2, 3, 9, 8, 8)
    assert set(loss(sr, gt, StepRng(0, 4)).terms) == {"pixel"} and not seen
    output = loss(sr, gt, StepRng(0, 5))
    assert seen == [3] and set(output.terms) == {"pixel", "lpips"} and output.sr is sr
    assert output.loss.item() == pytest.approx(3, abs=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_the_training_loss_is_the_lpips_vgg_that_is_reported(asset):
    asset("lpips/vgg16.ckpt")
    gt = data.astronaut()[:64, :80]
    sr = np.clip(gt + np.random.default_rng(0).normal(0, 20, gt.shape), 0, 255).astype(np.uint8)
    x, y = (torch.from_numpy(frame).permute(2, 0, 1)[None] / 127.5 - 1 for frame in (sr, gt))
    network = dists(asset)
    assert network.lpips(x, y).item() == pytest.approx(registry.build("lpips-vgg").score(sr, gt), abs=1e-5)
    assert network.lpips(x, x).item() == 0


@pytest.mark.filterwarnings("ignore")
def test_lpips_on_the_features_of_dists_is_the_heads_sum_and_leaves_dists_as_it_is(asset):
    network = dists(asset)
    x, y = torch.rand(2, 2, 3, 48, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    both = network.with_lpips(x, y)
    assert torch.equal(both[0], network(x, y))
    heads = list(np.split(network.heads.numpy(), np.cumsum([64, 128, 256, 512])))
    expected = np.zeros(2)
    for a, b, head in zip(*(features[1:] for features in network._pair(x, y)), heads, strict=True):
        a, b = (f.numpy() / np.linalg.norm(f.numpy(), axis=1, keepdims=True) for f in (a, b))
        expected += np.einsum("nchw,c->nhw", (a - b) ** 2, head).mean(axis=(1, 2))
    assert both[1].numpy() == pytest.approx(expected, rel=1e-3)
    assert network.with_lpips(x, x)[1].abs().max() == 0


def test_the_temporal_term_is_of_changes_between_frames_and_not_of_single_frames():
    loss = ReconstructionLoss(ReconstructionConfig(pixel=0, temporal=2.0), {})
    gt = torch.zeros(1, 3, 3, 8, 8)
    boiling = gt.clone()
    boiling[:, :, 1] = 0.5  # the first and the last frame as GT, so the change is 0.5 twice
    assert loss(boiling, gt, StepRng(0, 0)).loss.item() == pytest.approx(1, abs=1e-4)
    assert loss(gt + 0.5, gt, StepRng(0, 0)).loss.item() == pytest.approx(0, abs=0.003)  # an offset does not change
    assert set(loss(gt[:, :, :1], gt[:, :, :1], StepRng(0, 0)).terms) == {"pixel"}


def test_the_chroma_term_is_of_colours_and_not_of_luma():
    loss = ReconstructionLoss(ReconstructionConfig(pixel=0, chroma=2.0), {})
    gt = torch.rand(1, 3, 1, 8, 8) - 0.5
    assert loss(gt + 0.3, gt, StepRng(0, 0)).loss.item() == pytest.approx(0, abs=1e-10)  # brighter: no other colour
    bluer = gt.clone()
    bluer[:, 2] += 0.4
    blue, red = 0.4 * 0.5, 0.4 * -0.114 / (2 - 2 * 0.299)  # of Cb and Cr, BT.601
    assert loss(bluer, gt, StepRng(0, 0)).loss.item() == pytest.approx(2 * (blue**2 + red**2) / 2, rel=1e-4)


def test_every_term_counts_by_its_weight_and_the_networks_see_jittered_frames():
    class Network(torch.nn.Module):
        def forward(self, sr, gt):
            shapes.append(tuple(sr.shape))
            return torch.full((len(sr),), 2.0)

        def lpips(self, sr, gt):
            shapes.append(tuple(sr.shape))
            return torch.full((len(sr),), 3.0)

        def with_lpips(self, sr, gt):
            shapes.append(tuple(sr.shape))
            return torch.full((len(sr),), 2.0), torch.full((len(sr),), 3.0)

    shapes = []
    weights = {"pixel": 0.0, "lattice": 1.0, "dists": 10.0, "lpips_vgg": 100.0}
    sr, gt = torch.rand(1, 3, 9, 64, 64), torch.rand(1, 3, 9, 64, 64)
    for vgg_frames in (3, 0):
        config = ReconstructionConfig(dists_frames=2, vgg_frames=vgg_frames, jitter=True, **weights)
        output = ReconstructionLoss(config, {"dists": Network()})(sr, gt, StepRng(0, 0))
        assert set(output.terms) == {"pixel", "lattice", "dists", "lpips_vgg"}
        assert output.loss.item() == pytest.approx(320 + output.terms["lattice"].item(), rel=1e-5)
    assert [shape[0] for shape in shapes] == [3, 2, 2] and all(max(shape[2:]) <= 60 for shape in shapes)


def test_lpips_is_computed_in_float32_in_a_training_in_bfloat16():
    network = torch.nn.Conv2d(3, 4, 3)
    sr, gt = torch.rand(2, 1, 3, 1, 16, 16)

    def lpips(a, b):
        difference = network(a) - network(b)
        assert difference.dtype == torch.float32
        return difference.square()

    loss = ReconstructionLoss(ReconstructionConfig(pixel=0, lpips=1), {"lpips": lpips})
    with torch.autocast("cpu", torch.bfloat16):
        found = loss(sr.bfloat16(), gt, StepRng(0, 0)).terms["lpips"]
    assert found == lpips(sr[:, :, 0].bfloat16().float(), gt[:, :, 0]).mean()


@pytest.mark.parametrize("term", ["dists", "lpips_vgg"])
def test_missing_weights_name_the_term_that_needs_them(term):
    words = ["recipe=trial", "data=x", "out=y", f"stages.regression.reconstruction.{term}=1", "vgg=none", "lpips="]
    config = build_config(compose_plain([*words, "stages.regression.reconstruction.lpips=0"]))
    with pytest.raises(UserError, match=f"none is not a file.*reconstruction.{term}=0"):
        perceptual_networks(config, config.stages["regression"], torch.device("cpu"))


def test_networks_of_the_loss_are_looked_for_where_they_are_fetched_to(monkeypatch, tmp_path):
    for name in ("TURBOVSR_LPIPS", "TURBOVSR_VGG", "TURBOVSR_DISTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BENCH_ASSETS", str(tmp_path / "fetched"))
    monkeypatch.chdir(tmp_path)
    plain = compose_plain(["recipe=trial", "data=x", "out=y"])
    places = assets.root() / "lpips" / "alexnet.ckpt", assets.root() / "lpips" / "vgg16.ckpt"
    assert (plain["lpips"], plain["vgg"]) == tuple(map(str, places))
    assert plain["dists"] == str(tmp_path / "fetched" / "dists" / "weights.pt")
    monkeypatch.delenv("BENCH_ASSETS")  # in a checkout the current folder does not matter
    assert compose_plain(["recipe=trial", "data=x", "out=y"])["lpips"] == str(assets.root() / "lpips" / "alexnet.ckpt")


def test_a_lattice_needs_a_crop_that_shows_it():
    with pytest.raises(UserError, match="crop must be at least 64"):
        build_config(
            compose_plain(
                [
                    "recipe=trial",
                    "data=x",
                    "out=y",
                    "stages.regression.reconstruction.lattice=1",
                    "stages.regression.crop=32",
                ]
            )
        )


def test_latents_are_dropped_and_mixed_as_often_as_said(monkeypatch):
    """A latent of ones stands for GT's, one of zeros for a sampled one."""
    model, decoded = Model(TINY), []
    ones, shape = torch.ones(400, 32, 1, 1, 1), {"trained": ("decoder",), "crop": 64}
    loop = LoopConfig(steps=1, learning_rate=1)
    monkeypatch.setattr(model.encoder, "forward", lambda gt: ones)
    monkeypatch.setattr(model, "sample_first", lambda condition, noise, steps: 0 * ones)
    monkeypatch.setattr(model, "sample_rest", lambda condition, first, noise, steps: first)
    monkeypatch.setattr(model.decoder, "forward", lambda lr, latent, keep: decoded.append((latent, keep)) or batch.gt)
    batch = Batch(torch.rand(400, 3, 1, 32, 32), torch.rand(400, 3, 1, 8, 8))
    mix = MixConfig(oracle=0.3, none=0.2, flow_weight=0.0)
    plain = ReconstructionLoss(ReconstructionConfig(), {})
    for loss in (
        AutoencodingLoss(model, Autoencoding(kind="", latent_dropout=0.25, loop=loop, **shape), plain),
        JointLoss(model, Joint(kind="", mix=mix, loop=loop, **shape), plain),
    ):
        loss(batch, StepRng(0, 0), model)
    (latent, keep), (mixed, mixed_keep) = decoded
    assert torch.equal(latent, ones) and keep.float().mean() == pytest.approx(0.75, abs=0.07)
    is_oracle = mixed.flatten(1)[:, 0] == 1
    assert is_oracle.float().mean() == pytest.approx(0.3, abs=0.07) and mixed_keep[is_oracle].all()
    assert mixed_keep.float().mean() == pytest.approx(0.8, abs=0.07)


def test_joint_training_without_the_flow_loss_has_no_such_term():
    stage = Joint(
        kind="joint",
        trained=("decoder",),
        crop=64,
        loop=LoopConfig(steps=1, learning_rate=1),
        mix=MixConfig(flow_weight=0.0),
    )
    model = Model(TINY)
    batch = Batch(torch.rand(2, 3, 1, 64, 64), torch.rand(2, 3, 1, 16, 16))
    output = JointLoss(model, stage, ReconstructionLoss(stage.reconstruction, {}))(batch, StepRng(0, 0), model)
    assert set(output.terms) == {"pixel"}


@pytest.mark.filterwarnings("ignore")
def test_scores_of_equal_and_of_offset_clips(asset):
    networks = {"lpips": lpips_alex(asset("lpips/alexnet.ckpt")), "dists": dists(asset)}
    gt = (torch.rand(1, 3, 1, 64, 64) * 200 + 20).round() / 127.5 - 1
    equal = scores(gt, gt, networks)
    assert equal["lpips"] == pytest.approx(0, abs=1e-6) and equal["dists"] == pytest.approx(0, abs=1e-5)
    assert math.isinf(equal["psnr-y"])
    offset = scores(gt + 2 / 127.5, gt, networks)
    # An offset of two grey levels is 2 * 219/255 levels of studio-range luma.
    assert offset["psnr-y"] == pytest.approx(20 * math.log10(255 / (2 * 219 / 255)), abs=1e-3) and offset["lpips"] > 0
    assert set(scores(gt, gt, {})) == {"psnr-y"}


def test_held_out_pictures_are_found_in_another_encoding_and_left_out_with_their_surroundings():
    thumbnails = np.random.default_rng(0).uniform(0, 255, (1000, 18, 32)).astype(np.float32)
    darker = 0.8 * thumbnails[500:510] + 10
    mask = held_out_mask(thumbnails, darker)
    assert mask[260:750].all() and not mask[:260].any() and not mask[750:].any()
    assert not held_out_mask(np.full((3, 18, 32), 7, np.float32), np.full((1, 18, 32), 7, np.float32)).any()


@pytest.mark.parametrize("frames", [1, 2])
def test_a_network_of_samples_is_judged_by_its_samples_at_every_noise_level(frames):
    model = Model(TINY)
    torch.nn.init.zeros_(model.transformer.head.weight)
    torch.nn.init.zeros_(model.transformer.head.bias)  # it always says 0, so its error is the truth itself
    stage = Diffusion(
        kind="diffusion", trained=("transformer",), crop=64, loop=LoopConfig(steps=1, learning_rate=1), bootstrap=0.0
    )
    latent, lr = torch.randn(64, 32, frames, 2, 2), torch.rand(64, 3, 8 * frames - 7, 16, 16)
    batch = Batch(torch.zeros(64, 3, 1, 64, 64), lr)
    for step in range(3):
        loss = FlowLoss(model, stage)(batch, latent, model.projection(lr), StepRng(0, step), model)
        generated = latent[:, :, frames - 1 :]  # a clip's first frame is given
        assert loss.item() == pytest.approx(generated.square().mean().item(), rel=1e-4)


def test_compiling_without_a_compiler_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    config = build_config(compose_plain(["recipe=trial", "data=x", "out=y", "compile=true"]))
    with pytest.raises(EnvironmentInvalid, match="no-such-compiler is not here"):
        perceptual_networks(config, config.stages["regression"], torch.device("cpu"))


@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
def test_compiled_networks_measure_the_same(asset):
    words = ["recipe=trial", "data=x", "out=y", f"lpips={asset('lpips/alexnet.ckpt')}", "vgg=", "dists="]

    def gradient(compiled: bool) -> torch.Tensor:
        config = build_config(compose_plain([*words, f"compile={str(compiled).lower()}"]))
        network = perceptual_networks(config, config.stages["regression"], torch.device("cpu"))["lpips"]
        assert (network._compiled_call_impl is not None) == compiled
        frames = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
        network(frames, frames.detach().flip(0)).mean().backward()
        return frames.grad

    assert torch.allclose(gradient(True), gradient(False), atol=1e-7, rtol=1e-3)
