"""Composition: every config instantiates its words, protocols follow data sets, sweeps expand."""

import pytest

from bench.config import compose, expand
from bench.groups import members
from frames.errors import UserError


def test_a_data_set_brings_its_protocol_and_the_command_line_wins():
    assert compose(["data=vid4"]).protocol.name == "vid4"
    assert compose(["data=reds4"]).protocol.color == "rgb"
    assert compose(["data=vid4", "protocol=rgb"]).protocol.name == "rgb"


@pytest.mark.parametrize("group, name", [(g, n) for g in ("method", "data") for n in members(g)])
def test_every_config_composes_and_has_name_summary_and_target(group, name):
    node = compose([f"{group}={name}"])[group]
    assert node._get_node("_target_") is not None and node.name and node.summary


def test_methods_and_data_sets_multiply_with_data_outermost():
    found = [(c.data, c.method) for c in expand(["method=bicubic,nearest", "data=vid4,reds4"])]
    assert found == [("vid4", "bicubic"), ("vid4", "nearest"), ("reds4", "bicubic"), ("reds4", "nearest")]


def test_a_swept_option_labels_its_method_and_reaches_only_those_that_have_it():
    found = expand(["method=bicubic,realesrgan", "method.tile=0,64"])
    assert [c.method for c in found] == ["bicubic", "realesrgan[tile=0]", "realesrgan[tile=64]"]
    assert [c.config.method.get("tile") for c in found] == [None, 0, 64]


def test_an_option_that_no_method_has_is_an_error():
    with pytest.raises(UserError, match="method.tiel.*did you mean 'method.tile'"):
        expand(["method=bicubic,realesrgan", "method.tiel=1"])


def test_a_folder_of_own_configs_adds_methods(tmp_path):
    (tmp_path / "method").mkdir()
    text = "_target_: baselines.interpolation.Interpolation\nname: mine\nsummary: x\nkernel: bicubic\n"
    (tmp_path / "method" / "mine.yaml").write_text(text + "scale: ${scale}\ndevice: ${device}\n")
    config = compose(["method=mine", "scale=2"], (str(tmp_path),))
    assert (config.method.name, config.method.scale) == ("mine", 2)


def test_values_with_commas_in_quotes_are_not_swept(tmp_path):
    assert compose(["data=folder", "data.root='a,b'"]).data.root == "a,b"
