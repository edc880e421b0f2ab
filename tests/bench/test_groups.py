"""Config groups: members of the project, of installed packages (a made-up distribution on sys.path) and of the user."""

import sys

import numpy as np
import pytest

from bench.config import compose
from bench.groups import members, search_path
from bench.metrics.registry import build
from frames.errors import UserError

METRIC = """
import numpy as np
from bench.metrics.base import Kind

class Brightness:
    kind = Kind("brightness", "", "lower", 1, reference=False)
    def __init__(self, weight):
        self.weight, self.signature = weight, f"brightness|x{weight}|mean-frames,clips|v1"
    def score(self, sr, gt):
        return self.weight * float(np.mean(sr))
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installed package `shiny` that brings a method and a metric."""
    site = tmp_path / "site"
    for group in ("method", "metric"):
        (site / "shiny" / "conf" / group).mkdir(parents=True)
    (site / "shiny" / "__init__.py").write_text("")
    (site / "shiny" / "brightness.py").write_text(METRIC)
    (site / "shiny" / "conf" / "metric" / "brightness.yaml").write_text(
        "_target_: shiny.brightness.Brightness\nsummary: mean level\nweight: 2\n"
    )
    (site / "shiny" / "conf" / "method" / "shiny.yaml").write_text(
        "_target_: baselines.interpolation.Interpolation\nname: shiny\nsummary: cubic, again\n"
        "kernel: bicubic\nscale: ${scale}\ndevice: ${device}\n"
    )
    about = site / "shiny-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shiny\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[bench.configs]\nshiny = shiny.conf\n")
    monkeypatch.syspath_prepend(str(site))
    members.cache_clear()
    yield site
    members.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "shiny"]:
        del sys.modules[name]


def test_an_installed_package_brings_methods_and_metrics(installed, bench):
    config = compose(["method=shiny", "scale=2"])
    assert (config.method.name, config.method.scale) == ("shiny", 2)
    metric = build("brightness")
    assert metric.score(np.full((8, 8, 3), 10, np.uint8), None) == 20
    listed = bench("list").out
    assert "method=shiny" in listed and "metrics=[brightness]" in listed and "mean level" in listed


def test_listing_imports_nothing_of_the_package(installed):
    assert "brightness" in members("metric")
    assert "shiny" not in sys.modules


def test_an_entry_point_without_its_folder_is_named(installed):
    (installed / "shiny-1.0.dist-info" / "entry_points.txt").write_text("[bench.configs]\nshiny = shiny.nowhere\n")
    with pytest.raises(UserError, match=r"bench.configs: shiny = shiny.nowhere of shiny: there is no such folder"):
        search_path()


def test_a_name_that_exists_twice_is_refused(tmp_path):
    (tmp_path / "metric").mkdir()
    (tmp_path / "metric" / "psnr.yaml").write_text("_target_: elsewhere.Psnr\n")
    with pytest.raises(UserError, match=r"there is a metric 'psnr' already, .*conf/metric/psnr.yaml; rename one"):
        members("metric", (str(tmp_path),))
