"""Metrics by name: every YAML file builds one, a user's own takes part, and wrong files are one line."""

import re

import numpy as np
import pytest

from bench.groups import members
from bench.metrics.base import ClipMetric, FrameMetric, Kind, PreparesGt, is_network
from bench.metrics.protocol import Protocol
from bench.metrics.registry import build, check_name
from frames.errors import UserError

NEED_MORE = {"vmaf", "vmaf-neg", "vmaf-4k", "pyiqa", "lpips-squeeze", "no-reference"}
"""A program; an optional package; weights from a hub; several metrics."""


class Constant:
    """A metric as small as it can be, by `_target_` of the tests below."""

    kind = Kind("const", "", "lower", 1)

    def __init__(self, value, device="none"):
        self.value, self.device = value, device
        self.signature = f"const|{value}|v1"

    def score(self, sr, gt):
        return float(self.value)


class NoMetric:
    kind = Kind("none", "", "lower", 1)
    signature = "none"


@pytest.fixture
def folder(tmp_path):
    """`folder("mine", text)` writes metric/mine.yaml and returns the config folder as an argument."""

    def write(name, text):
        (tmp_path / "metric").mkdir(exist_ok=True)
        (tmp_path / "metric" / f"{name}.yaml").write_text(text)
        return (str(tmp_path),)

    return write


@pytest.mark.parametrize("name", sorted(members("metric").keys() - NEED_MORE))
def test_every_file_builds_a_metric_with_its_recipe(name):
    metric = build(name)
    assert isinstance(metric, (FrameMetric, ClipMetric))
    assert metric.kind.better in ("higher", "lower", "nearer", "none") and metric.signature.count("|") >= 3
    assert is_network(metric) == ("lpips" in name or name == "dists") == isinstance(metric, PreparesGt)


@pytest.mark.parametrize("name", members("metric"))
def test_every_file_has_a_summary_that_stands_alone(name):
    text = members("metric")[name].read_text()
    summary = re.search(r"^summary: (.+)$", text, re.M)
    assert summary and "the same" not in summary[1] and text.startswith("# ")


def test_colours_in_names_go_before_the_protocol():
    protocol = Protocol(psnr="y", ssim="y")
    assert "y-bt601-studio" in build("psnr", protocol).signature
    assert build("psnr-rgb", protocol).signature.split("|")[1] == "rgb"


def test_a_metric_of_ones_own_takes_its_options_and_the_frames_of_the_protocol(folder):
    dirs = folder("mine", f"_target_: {__name__}.Constant\nsummary: x\nvalue: 3\ndevice: ${{device}}\n")
    metric = build("mine", Protocol(only=(3,)), device="cpu", config_dirs=dirs)
    assert (metric.score(None, None), metric.device) == (3.0, "cpu")
    assert metric.signature == "const|3|v1|frames3"
    assert build("mine", device="cpu", config_dirs=dirs).signature == "const|3|v1"


def test_an_open_option_is_what_follows_the_slash(folder):
    dirs = folder("mine", f"_target_: {__name__}.Constant\nvalue: ???\n")
    assert build("mine/7", config_dirs=dirs).value == "7"
    with pytest.raises(UserError, match="metric mine: write mine/VALUE"):
        build("mine", config_dirs=dirs)
    with pytest.raises(UserError, match="metric psnr/7: write psnr"):
        check_name("psnr/7")


@pytest.mark.parametrize(
    "text, words",
    [
        ("summary: x\n", "mine.yaml: no metric; it needs _target_"),
        ("- 1\n", "mine.yaml: no metric; it needs _target_"),
        ("_target_: [\n", "mine.yaml: "),
        ("_target_: nowhere.Metric\n", "metric mine: _target_ nowhere.Metric cannot be imported"),
        ("_target_: nothing\n", "metric mine: _target_ nothing cannot be imported"),
        (f"_target_: {__name__}.NoMetric\n", "metric mine: NoMetric is no metric: it needs kind"),
        (f"_target_: {__name__}.Constant\nvalue: ${{nowhere}}\n", "metric mine: "),
        (f"_target_: {__name__}.Constant\nvaleu: 1\n", "metric mine: .* no option 'valeu'; did you mean 'value'"),
        (f"_target_: {__name__}.Constant\n", "metric mine: .* needs the option 'value'"),
    ],
)
def test_a_file_that_defines_no_metric_is_one_line(folder, text, words):
    with pytest.raises(UserError, match=words) as caught:
        build("mine", config_dirs=folder("mine", text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["fps", "fps-mine", "first_call_s", "speed"])
def test_a_score_never_takes_the_name_of_a_time(folder, name):
    with pytest.raises(UserError, match=rf"metric {name}: .*{name}.yaml: reports have a time of this name; rename"):
        build(name, config_dirs=folder(name, f"_target_: {__name__}.Constant\nvalue: 3\n"))


def test_a_file_says_otherwise_for_its_own_name_and_gts_value_needs_no_code(folder):
    dirs = folder(
        "mine", f"_target_: {__name__}.Constant\nvalue: 3\nkind: {{title: near, better: nearer, digits: 2}}\n"
    )
    folder("fixed", f"_target_: {__name__}.Constant\nvalue: 3\nkind: {{better: nearer, best: 1}}\n")
    folder("mine-gt", "of_gt: mine\nsummary: GT's own\n")
    metric, own = build("mine", config_dirs=dirs), build("mine-gt", config_dirs=dirs)
    assert metric.kind == Kind("near", "", "nearer", 2) and Constant.kind.better == "lower"
    assert own.kind == Kind("near of GT", "", "none", 2) and own.signature == "const|of GT|3|v1"
    assert own.score(None, np.zeros((2, 2, 3), np.uint8)) == 3.0
    assert build("fixed", config_dirs=dirs).kind.best == 1


@pytest.mark.parametrize(
    "text, words",
    [
        ("kind: 3\n", "metric mine: kind holds keys, of title, unit, better"),
        ("kind: {beter: lower}\n", "metric mine: kind has no 'beter'; did you mean 'better'"),
        ("kind: {window: 2}\n", "metric mine: kind has no 'window'"),
        ("kind: {digits: two}\n", "metric mine: kind.digits is 'two'"),
        ("kind: {digits: -1}\n", "metric mine: kind.digits is -1"),
        ("kind: {better: lowr}\n", "metric mine: better is 'lowr'; did you mean 'lower'"),
    ],
)
def test_a_kind_that_cannot_be_is_one_line(folder, text, words):
    with pytest.raises(UserError, match=words) as caught:
        build("mine", config_dirs=folder("mine", f"_target_: {__name__}.Constant\nvalue: 3\n{text}"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "of, words", [("mine", "of_gt names mine, which is GT's own value itself"), ("nothing", "unknown metric 'nothing'")]
)
def test_gts_value_of_nothing_is_one_line(folder, of, words):
    with pytest.raises(UserError, match=words):
        build("mine", config_dirs=folder("mine", f"of_gt: {of}\n"))


def test_every_metric_takes_the_frames_of_a_protocol():
    for name in sorted(members("metric").keys() - NEED_MORE):
        if "lpips" not in name and name not in ("dists", "tlp"):
            assert build(name, Protocol(drop_first=2)).signature.count("|frames2..-1") == 1


class Fixed:
    """A metric whose recipe cannot be added to."""

    kind = Constant.kind
    signature = property(lambda self: "fixed|v1")

    def score(self, sr, gt):
        return 0.0


def test_a_recipe_that_cannot_take_the_frames_is_one_line(folder):
    dirs = folder("mine", f"_target_: {__name__}.Fixed\n")
    with pytest.raises(UserError, match="metric mine: signature must be a plain attribute of Fixed"):
        build("mine", Protocol(drop_first=2), config_dirs=dirs)


def test_an_unknown_name_gets_a_hint(folder):
    with pytest.raises(UserError, match="unknown metric 'pnsr'; did you mean 'psnr'"):
        build("pnsr")


def test_a_run_takes_a_metric_of_ones_own(bench, clips, folder, tmp_path):
    (dirs,) = folder("mine", f"_target_: {__name__}.Constant\nsummary: a constant\nvalue: 3\n")
    out = tmp_path / "out"
    answer = bench("run", "method=nearest", "data=folder", f"data.gt={clips}", "metrics=[mine,psnr]", "timing=once",
                   f"out={out}", "store=null", f"--config-dir={dirs}")  # fmt: skip
    assert answer.code == 0, answer.err
    assert "const" in answer.out and "a constant" in bench("list", "--config-dir", dirs).out


def test_equal_arguments_share_one_metric():
    assert build("lpips-alex") is build("lpips-alex")
    assert np.isfinite(build("psnr").score(np.zeros((8, 8, 3), np.uint8), np.ones((8, 8, 3), np.uint8)))
