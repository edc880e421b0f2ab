"""A layer left out gives back what it gets, and comes back afterwards."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from frames.errors import UserError
from studies.layers import arithmetic, chosen, clips_of, layers, left_out, main
from turbovsr.decoder import Decoder
from turbovsr.pipeline import TurboVSR


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    decoder = Decoder(8, 16, 16, (1, 1), consistent=False, reduction=1, memory=True, detail=False, inner_blocks=(1, 2))
    for parameter in decoder.parameters():  # also those that begin at zero
        torch.nn.init.normal_(parameter, std=0.05)
    return decoder.eval()


def test_left_out_is_the_identity_and_afterwards_all_is_as_before(decoder):
    names = layers(decoder)
    assert sorted(names) == ["after.0", "before.0", "inner.before.0", "inner.smaller.after.0", "inner.smaller.before.0"]
    lr, name = torch.rand(1, 3, 9, 16, 16) * 2 - 1, "inner.smaller.before.0"
    with torch.inference_mode():
        whole = decoder(lr, None)
        operations = arithmetic(decoder)
        with left_out(decoder, name):
            without = decoder(lr, None)
            assert layers(decoder) == [each for each in names if each != name]
            convolution = 2 * 64 * 64 * 9 * (64 // 4) ** 2  # of 64 channels at a quarter of 64x64 LR pixels
            assert operations - arithmetic(decoder) == 2 * convolution
        assert torch.equal(decoder(lr, None), whole) and layers(decoder) == names
        block = decoder.get_submodule(name)
        torch.nn.init.zeros_(block.conv2.weight), torch.nn.init.zeros_(block.conv2.bias)
        assert torch.equal(decoder(lr, None), without) and not torch.equal(without, whole)


def test_a_layer_that_is_not_there_is_named_with_those_that_are(decoder):
    with pytest.raises(UserError, match="--without after.7: no such layer; there are before.0, "):
        chosen(decoder, ["before.0,after.7"])


def test_another_scale_is_refused():
    with pytest.raises(UserError, match="scale=2: the decoder upscales by 4"):
        clips_of(["data=sample", "scale=2"])


def test_the_table_has_a_row_for_all_layers_and_one_for_each_without_it(tmp_path, monkeypatch, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), cv2.GaussianBlur(noise, None, 1.5))
    words = ["data=folder", f"data.gt={tmp_path}", "--without", "after.0,after.1", "--without", "before.0"]
    monkeypatch.setattr("sys.argv", ["studies.layers", *words])
    assert main() == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [row[0] for row in rows] == ["none", "after.0,after.1", "before.0"]
    share, lpips, dists, psnr = rows[0][1:]
    assert share == "0.0%" and float(rows[1][1][:-1]) == pytest.approx(2 * float(rows[2][1][:-1]), abs=0.11)
    assert rows[0][2:] != rows[1][2:] != rows[2][2:] and all(cell[0] in "+-" for cell in (lpips, dists, psnr))


def test_weights_whose_decoder_has_no_such_layers_are_refused(monkeypatch):
    other = SimpleNamespace(model=SimpleNamespace(decoder=torch.nn.Identity()))
    monkeypatch.setattr(TurboVSR, "from_pretrained", lambda _: other)
    monkeypatch.setattr("sys.argv", ["studies.layers", "data=sample", "--weights", "other.safetensors"])
    with pytest.raises(UserError, match="--weights other.safetensors: its decoder has no layers to leave out"):
        main()
