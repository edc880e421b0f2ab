"""LPIPS and DISTS equal the published values and the libraries, with the same real weights."""

import lpips
import pytest
import torch

from bench.metrics.backbones import convolutions, lpips_heads
from bench.metrics.features import full_precision
from bench.metrics.registry import build
from frames.pickles import read_arrays

# Printed by pyiqa's calibration table for these five TID2013 pairs (official implementations, 4 digits).
LPIPS_ALEX = {"I03": 0.7237, "I04": 0.2572, "I06": 0.0508, "I08": 0.0521, "I19": 0.4253}
DISTS = {"I03": 0.4742, "I04": 0.1424, "I06": 0.0682, "I08": 0.0287, "I19": 0.3123}


@pytest.mark.parametrize("name", LPIPS_ALEX)
def test_lpips_alex_gives_the_published_value(tid, name):
    assert build("lpips-alex").score(*tid[name]) == pytest.approx(LPIPS_ALEX[name], abs=1e-4)


@pytest.mark.parametrize("name", DISTS)
def test_dists_gives_the_published_value(tid, name):
    assert build("dists").score(*tid[name]) == pytest.approx(DISTS[name], abs=1e-4)


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_lpips_equals_the_lpips_package(small_tid, net):
    package = lpips.LPIPS(net=net, pnet_rand=True, verbose=False).eval()  # its backbone would be downloaded
    layers = [m for m in package.net.modules() if isinstance(m, torch.nn.Conv2d)]
    for layer, (weight, bias) in zip(layers, convolutions(net), strict=True):
        layer.weight.data.copy_(weight)
        layer.bias.data.copy_(bias)
    for sr, gt in small_tid.values():
        x, y = (torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 127.5 - 1 for frame in (sr, gt))
        with torch.inference_mode():
            expected = package(x, y).item()
        assert build(f"lpips-{net}").score(sr, gt) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["lpips-alex", "lpips-vgg", "dists"])
def test_equal_frames_have_distance_zero(small_tid, name):
    _, gt = small_tid["I06"]
    assert build(name).score(gt, gt) == pytest.approx(0, abs=1e-5)


def test_the_heads_of_both_packages_are_equal(asset):
    for net, file in (("alex", "alexnet"), ("vgg", "vgg16")):
        tree = read_arrays(asset(f"lpips/{file}.ckpt"))
        for index, head in enumerate(lpips_heads(net)):
            assert torch.equal(
                head.flatten(), torch.from_numpy(tree[f"NetLinLayer_{index}"]["Conv_0"]["kernel"].flatten())
            )


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    file = tmp_path / "evil.ckpt"
    file.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ValueError, match="evil.ckpt.*os.system is not allowed"):
        read_arrays(file)


def test_full_precision_switches_off_tf32_alone():
    cudnn = torch.backends.cudnn
    before = cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32
    with full_precision("cuda"):
        assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32) == (*before[:3], False)
    assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32) == before
    assert before[0]
