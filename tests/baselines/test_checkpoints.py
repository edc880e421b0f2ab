"""Checkpoints as people pass them on, and values that are not finite."""

import hashlib
import shutil
import zipfile

import numpy as np
import pytest
import torch

from baselines.basicvsr import BasicVSR, checkpoint
from baselines.checkpoints import origin, read_state
from baselines.frames import FiniteCheck
from baselines.realesrgan import RealESRGAN

STATE = {"first.weight": torch.ones(2), "second.bias": torch.zeros(1)}


def prefixed(*prefixes):
    return {"".join(prefixes) + name: value for name, value in STATE.items()}


WRAPPED = {
    "bare": STATE,
    "params": {"params": STATE},
    "params_ema": {"params_ema": STATE, "params": {"other": torch.ones(1)}},
    "state_dict": {"state_dict": STATE, "epoch": 3, "meta": {"a": 1}},
    "module.": prefixed("module."),
    "generator.": {"state_dict": prefixed("generator.")},
    "module.generator.": {"state_dict": prefixed("module.", "generator.")},
    "a generator in a model": {"model": {"generator": prefixed("module.")}},
}


@pytest.mark.parametrize("name", WRAPPED)
def test_wrappers_and_prefixes_are_taken_off(tmp_path, name):
    torch.save(WRAPPED[name], tmp_path / "w.pth")
    found = read_state(tmp_path / "w.pth")
    assert found.keys() == STATE.keys() and torch.equal(found["first.weight"], torch.ones(2))


@pytest.mark.parametrize(
    "content, says",
    [
        ({}, "no weights in it"),
        ({"optimizer": {"lr": 0.1}, "epoch": 1}, "no weights in it \\(epoch, optimizer\\)"),
        ([1, 2], "no weights in it \\(list\\)"),
        ({"params": {}}, "no weights in it"),
    ],
)
def test_a_file_without_weights_says_what_it_holds(tmp_path, content, says):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ValueError, match=says):
        read_state(tmp_path / "w.pth")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x05.", b"cos\nsystem\n(S'true'\ntR."])
def test_what_is_no_checkpoint_is_one_line(tmp_path, content):
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(ValueError, match="w.pth: not a readable torch checkpoint") as caught:
        read_state(tmp_path / "w.pth")
    assert "\n" not in str(caught.value)


def test_only_a_released_file_is_called_a_release(tmp_path):
    file = tmp_path / "net.pth"
    file.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert origin(file, {digest}, "the release", "bi") == "bi: net.pth, the release"
    assert origin(file, set(), "the release", "bi") == f"net.pth, a file of the user's (sha256 {digest[:12]})"


def test_basicvsr_s_own_weights_rewrapped_are_a_user_s_and_give_the_same_frames(asset, tmp_path):
    released = asset("basicvsr/vimeo_bi.pth")
    state = read_state(released)
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "mine.pth")
    ours, theirs = (BasicVSR(path, "vimeo_bi") for path in (tmp_path / "mine.pth", released))
    lr = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8), dtype=np.uint8))
    assert torch.equal(ours.upscale(lr), theirs.upscale(lr))
    assert ours.descriptor.weights.startswith("mine.pth, a file of the user's")
    assert theirs.descriptor.weights.startswith("vimeo_bi: vimeo_bi.pth, BasicSR's release")


def test_one_weight_that_is_no_number_is_refused_by_basicvsr(asset, tmp_path):
    state = read_state(asset("basicvsr/vimeo_bi.pth"))
    state["conv_hr.weight"][0, 0, 0, 0] = float("nan")
    torch.save({"params": state}, tmp_path / "nan.pth")
    upscaler = BasicVSR(tmp_path / "nan.pth", "vimeo_bi")
    with pytest.raises(ValueError, match="basicvsr: the network returned values that are not finite"):
        upscaler.upscale(torch.zeros((1, 3, 8, 8), dtype=torch.uint8))


def test_one_weight_that_is_no_number_is_refused_by_realesrgan(asset, tmp_path):
    param, weights = (asset(f"realesrgan/animevideov3-x4.{suffix}") for suffix in ("param", "bin"))
    shutil.copy(weights, tmp_path / "nan.bin")
    with open(tmp_path / "nan.bin", "r+b") as file:
        file.seek(4)  # behind the tag: the first weight, as float16
        file.write(np.float16("nan").tobytes())
    upscaler = RealESRGAN("animevideov3", param, tmp_path / "nan.bin")
    assert "a file of the user's" in upscaler.descriptor.weights
    with pytest.raises(ValueError, match="realesrgan: the network returned values that are not finite"):
        upscaler.upscale(torch.zeros((1, 3, 8, 8), dtype=torch.uint8))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_not_finite_are_refused(value):
    finite = FiniteCheck("m")
    finite.see(torch.ones(4))
    with pytest.raises(ValueError, match="m: the network returned"):
        finite.see(torch.tensor([1.0, value]))


def test_absent_files_of_basicvsr_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no BasicVSR weights here"):
        checkpoint.load(tmp_path / "none.pth")


def test_a_tensor_that_a_few_bytes_repeat_is_refused_before_it_is_copied(tmp_path):
    file = tmp_path / "w.pth"
    torch.save({"params": {"conv.weight": torch.zeros(1).expand(10**6, 10**6)}}, file)
    with pytest.raises(ValueError, match="w.pth: it says 3814697 MiB of tensors and holds less"):
        read_state(file)
    torch.save({"params": {"ids": torch.arange(4)[None].expand(2, 4)}}, file)
    assert read_state(file)["ids"].shape == (2, 4)


def test_an_empty_file_is_said_to_end_too_soon(tmp_path):
    (tmp_path / "w.pth").touch()
    with pytest.raises(ValueError, match=r"\(it ends too soon\); fetch it again"):
        read_state(tmp_path / "w.pth")


def test_containers_that_hold_themselves_or_each_other_often_end(tmp_path):
    weights = {"w": torch.ones(2)}
    often: list = [torch.ones(2)]
    for _ in range(40):
        often = [often] * 10
    torch.save(weights | {"often": often}, tmp_path / "often.pth")
    assert read_state(tmp_path / "often.pth").keys() == {"w", "often"}
    itself = dict(weights)
    itself["params"] = itself
    torch.save(itself, tmp_path / "itself.pth")
    with pytest.raises(ValueError, match="itself.pth: a dictionary in it contains itself"):
        read_state(tmp_path / "itself.pth")


def test_an_archive_that_grows_a_thousandfold_is_refused_before_it_is_read(tmp_path):
    torch.save({"w": torch.zeros(80 << 20, dtype=torch.uint8)}, tmp_path / "w.pth")
    with (
        zipfile.ZipFile(tmp_path / "w.pth") as plain,
        zipfile.ZipFile(tmp_path / "small.pth", "w", zipfile.ZIP_DEFLATED) as small,
    ):
        for name in plain.namelist():
            small.writestr(name, plain.read(name))
    with pytest.raises(ValueError, match="small.pth: it says 80 MiB of tensors and holds less"):
        read_state(tmp_path / "small.pth")
