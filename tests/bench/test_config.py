"""Composition: every config instantiates its words, protocols follow data sets, sweeps expand."""

from math import isnan

import pytest

from bench.config import compose, expand
from bench.groups import members
from bench.schema import Root
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


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["method=bicubic", "method=bilinear,bicubic"], "method= is given 2 times; write method=bicubic,bilinear"),
        (["data=sample", "method=bicubic", "data=vid4"], "data= is given 2 times; write data=sample,vid4"),
    ],
)
def test_methods_or_data_sets_in_two_words_are_refused_instead_of_the_last_one_taken(words, says):
    with pytest.raises(UserError) as caught:
        expand(words)
    assert str(caught.value) == says


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


SWEEPS = {  # every top-level option: how it is swept, or None: it is refused
    "method": "bicubic,nearest",
    "data": "sample,vid4",
    "degradation": "bi,bd",
    "protocol": "rgb,vid4",
    "timing": "default,once",
    "scale": "4,2",
    "device": "auto,cpu",
    "metrics": None,
    "score_every": "1,2",
    "save": None,
    "out": None,
    "store": None,
    "threads": "1,2",
}


def test_every_top_level_option_is_here():
    assert SWEEPS.keys() == Root.__dataclass_fields__.keys() == {str(key) for key in compose([])}


@pytest.mark.parametrize("key, values", [(key, values) for key, values in SWEEPS.items() if values])
def test_each_row_of_a_sweep_is_configured_as_the_run_made_alone(key, values):
    found = expand([f"{key}={values}"])
    alone = [compose([f"{key}={value}"]) for value in values.split(",")]
    assert [combination.config for combination in found] == alone
    assert len({(combination.data, combination.method) for combination in found}) == 2
    assert [c.config for c in expand([f"{key}={','.join(reversed(values.split(',')))}"])] == alone[::-1]


@pytest.mark.parametrize("word", ["metrics=psnr,ssim", "metrics=[psnr],[ssim]", "save=frames,video"])
def test_what_is_one_for_the_whole_run_is_refused_as_a_sweep(word):
    with pytest.raises(UserError, match="one for the whole run, it cannot be swept; write"):
        expand([word])


def test_what_makes_the_data_is_a_data_set_of_its_own_and_the_rest_a_method_of_its_own():
    (one, other) = expand(["degradation=bi,bd"])
    assert (one.data, other.data) == ("sample[degradation=bi]", "sample[degradation=bd]")
    assert one.method == other.method == "bicubic"
    found = expand(["scale=4,2", "threads=1,2"])
    assert [(c.data, c.method) for c in found] == [
        ("sample[scale=4]", "bicubic[threads=1]"),
        ("sample[scale=4]", "bicubic[threads=2]"),
        ("sample[scale=2]", "bicubic[threads=1]"),
        ("sample[scale=2]", "bicubic[threads=2]"),
    ]


def test_two_configurations_of_one_name_are_refused(tmp_path):
    (tmp_path / "method").mkdir()
    for name in ("one", "two"):
        (tmp_path / "method" / f"{name}.yaml").write_text(f"_target_: a.B\nname: same\nsummary: x\noption: {name}\n")
    with pytest.raises(UserError, match="two combinations are called same on sample"):
        expand(["method=one,two"], (str(tmp_path),))


def test_nan_is_left_to_the_part_that_it_is_for():
    (only,) = expand(["method=bicubic", "data=sample", "degradation=once", "degradation.noise=nan"])
    assert isnan(only.config.degradation.noise)


@pytest.mark.parametrize(
    "words, says",
    [
        (["data.frames=1.5"], "data.frames=1.5: write a whole number"),
        (["data.frames=x"], "data.frames=x: write a whole number"),
        (["data.frames=0"], "data.frames=0: write a whole number"),
        (["data.clips=5"], "such as data.clips=\\[5\\]"),
        (["data.clips=city"], "such as data.clips=\\[city\\]"),
        (["threads=-1"], "threads=-1: choose 1 to"),
        (["threads=0"], "threads=0: choose 1 to"),
        (["threads=100000"], "threads=100000: choose 1 to"),
        (["threads=x"], "option 'threads'"),
        (["scale=0"], "scale=0: at least 1"),
        (["scale=1.5"], "option 'scale'"),
        (["timing.repeats=0"], "timing.repeats=0: at least 1"),
        (["timing.budget_s=nan"], "timing.budget_s=nan: at least 0"),
        (["timing.budget_s=inf"], "timing.budget_s=inf: at least 0"),
        (["timing.limit_s=0"], "timing.limit_s=0: write a number of seconds above 0"),
        (["timing.scopes=[]"], "name at least one of tensors, files"),
        (["timing=5"], "unknown timing '5'"),
        (["threads=${nope}"], "option 'threads': .*'nope' not found"),
        (["scale=${nope}"], "option 'scale': .*'nope' not found"),
        (["device=${nope}"], "option 'device': .*'nope' not found"),
        (["metrics=${nope}"], "option 'metrics': .*'nope' not found"),
        (["metrics=[${nope}]"], "option 'metrics\\[0\\]': .*'nope' not found"),
        (["timing.limit_s=${nope}"], "option 'timing.limit_s': .*'nope' not found"),
        (["timing.scopes=[${nope}]"], "option 'timing.scopes\\[0\\]': .*'nope' not found"),
        (["data.clips=${nope}"], "option 'data.*': .*'nope' not found"),
        (["data.clips=[${nope}]"], "option 'data.clips\\[0\\]': .*'nope' not found"),
        (["method.name=${nope}"], "option 'method.name': .*'nope' not found"),
        (["degradation.name=${nope}"], "option 'degradation.name': .*'nope' not found"),
        (["threads=${oc.env:BENCH_NOPE}"], "option 'threads': Environment variable 'BENCH_NOPE' not found"),
        (["threads=${asset:nope}"], "option 'threads': unknown asset 'nope'"),
        (["threads=${nope:1}"], "option 'threads': Unsupported interpolation type nope"),
        (["threads=${threads}"], "option 'threads': "),
        (["threads=${device}"], "option 'threads': "),
        (["data=folder", "data.root=-1"], "data.root=-1: give a path"),
        (["data=folder", "data.gt=1.5"], "data.gt=1.5: give a path"),
        (["data=vid4", "data.root=-1"], "data.root=-1: give a path"),
        (["data=images4k", "data.root=true"], "data.root=True: give a path"),
        (["method=realesrgan", "method.weights=-1"], "method.weights=-1: give a path"),
        (["method=precomputed", "method.root=7"], "method.root=7: give a path"),
        (["method=null"], "unknown method 'null'"),
        (["device=gpu"], "device=gpu: write auto, cpu, cuda or cuda:N"),
        (["device=cpu,gpu"], "device=gpu: write"),
    ],
)
def test_values_out_of_bounds_are_one_line(words, says):
    with pytest.raises(UserError, match=says) as caught:
        expand(words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text, says",
    [
        ("_target_: a.B\n\tname: x\n", "line 2"),
        ("name: x\nname: y\n", "line 2: the key 'name' comes twice"),
        ("", "it is empty"),
        ("- a\n- b\n", "it is a list"),
        ("5\n", "it is a int"),
        ("[" * 5000, "nested more than 32 deep"),
        ("a: &a [*a]\n", "aliases make more than"),
        (
            "\n".join(["a0: &a0 [x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))]),
            "aliases make more",
        ),
        ("name: \udcff\n", "not UTF-8"),
        ("name: [\n", "line"),
        ("? [a]\n: b\n", "a key is a list"),
        ("name: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
    ],
)
def test_a_configuration_file_that_cannot_be_read_is_named_in_one_line(tmp_path, text, says):
    (tmp_path / "José").mkdir()
    file = tmp_path / "José" / "method" / "mine.yaml"
    file.parent.mkdir()
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises((UserError, ValueError), match=says) as caught:
        expand(["method=mine"], (str(tmp_path / "José"),))
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["José", "a,b", "x[1]", "it's", "a b"])
def test_own_configurations_below_any_folder(tmp_path, name):
    (tmp_path / name / "method").mkdir(parents=True)
    (tmp_path / name / "method" / "mine.yaml").write_text("_target_: a.B\nname: mine\nsummary: x\n")
    assert compose(["method=mine"], (str(tmp_path / name),)).method.name == "mine"
