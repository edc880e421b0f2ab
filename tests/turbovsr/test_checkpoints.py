import os

import pytest
import torch
from safetensors.torch import load_file, save_file

from frames.atomic import replacing
from tests.full_disk import largest_file
from tests.turbovsr.conftest import tiny_model
from turbovsr import TurboVSR, checkpoints, loading


def test_round_trip_keeps_weights_and_configuration(weights):
    model, metadata = loading.load(weights)
    original = tiny_model()
    assert model.config == original.config and metadata["name"] == "tiny"
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), original.state_dict().values()))


def test_others_may_read_weights_as_any_new_file(tmp_path):
    path = tmp_path / "weights.safetensors"
    before = os.umask(0o027)
    try:
        checkpoints.save(tiny_model(), path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_equal_models_make_equal_files(tmp_path):
    notes = {f"note {i}": f'"é" \\ \x1f\x7f\n{i}' for i in range(8)}
    files = [tmp_path / f"{i}.safetensors" for i in range(3)]
    for file in files:
        checkpoints.save(tiny_model(), file, **notes)
    assert len({file.read_bytes() for file in files}) == 1
    assert loading.load(files[0])[1].items() >= {name: " ".join(text.split()) for name, text in notes.items()}.items()


def test_a_full_disk_is_the_system_s_error_and_names_the_weights(tmp_path):
    path = tmp_path / "weights.safetensors"
    with largest_file(2**16), pytest.raises(OSError) as caught, replacing(path) as temporary:
        checkpoints.save(tiny_model(), temporary)
    assert caught.value.filename == str(path) and not list(tmp_path.iterdir())


def test_wrong_checkpoint_names_every_key_that_does_not_fit(weights, tmp_path):
    state = load_file(str(weights))
    state["decoder.stray"] = torch.zeros(1)
    del state["decoder.head.bias"]
    state["decoder.stem.bias"] = torch.zeros(3)
    with pytest.raises(ValueError) as error:
        checkpoints.fill(tiny_model(), state, "some file")
    for part in ("missing: decoder.head.bias", "unexpected: decoder.stray", "another shape: decoder.stem.bias"):
        assert part in str(error.value)


def test_foreign_and_broken_files_are_refused(tmp_path):
    foreign, broken = tmp_path / "foreign.safetensors", tmp_path / "broken.safetensors"
    save_file({"weight": torch.zeros(1)}, str(foreign))
    broken.write_bytes(b"not weights")
    with pytest.raises(ValueError, match="not a TurboVSR checkpoint"):
        TurboVSR(foreign)
    with pytest.raises(ValueError, match="not a safetensors file"):
        TurboVSR(broken)
    with pytest.raises(FileNotFoundError, match="packaged name"):
        TurboVSR("no-such-model")
