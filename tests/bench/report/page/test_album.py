"""Frames that vanish while a page is made leave a page that says so; a method looks alike in plots and on the page."""

import numpy as np
import pytest

from bench.metrics.places import finder
from bench.report.look import THEMES
from bench.report.page import album, marks
from bench.report.page.choose import PictureBudget
from bench.report.page.material import Material
from bench.report.plots import style
from tests.bench.made_up import make


def material(sources) -> Material:
    return Material("set", "a", 3, 4, (64, 96), sources)


def frames(seed: int, good_reads: int = 99):
    """A source that can be read that many times, as long as somebody leaves it where it is."""
    pixels = np.random.default_rng(seed).integers(0, 255, (3, 64, 96, 3), np.uint8)
    reads = []

    def read():
        reads.append(1)
        yield pixels[0]
        if len(reads) > good_reads:
            raise FileNotFoundError(2, "No such file or directory", "00000001.png")
        yield from pixels[1:]

    return read


RECORDS = [make(method, "a", [20.0, 21.0, 22.0], [1.0], size=(16, 24)) for method in ("m", "n")]


@pytest.mark.parametrize("gone", [("sr:m",), ("sr:m", "sr:n"), ("gt", "sr:m", "sr:n")])
def test_what_vanishes_between_two_looks_is_absent_with_its_reason(gone):
    sources = {name: frames(i, 1 if name in gone else 99) for i, name in enumerate(("gt", "sr:m", "sr:n"))}
    made = album.build([material(sources)], RECORDS, PictureBudget(1_000_000), finder)
    (clip,) = made.clips
    assert set(clip["absent"]) == set(gone) and set(clip["pictures"]) == set(sources) - set(gone)
    assert clip["shown"] == ([] if len(gone) == 3 else [0, 1, 2])
    assert any("00000001.png" in note for note in made.notes)


def test_a_method_has_one_colour_and_one_marker_in_plots_and_on_the_page():
    rules = marks.style(10).lower().splitlines()
    for index in range(10):
        light, dark = (style.color(THEMES[name], index).lower() for name in ("light", "dark"))
        assert rules[index] == f".m{index}{{--mark:light-dark({light},{dark})}}"
        assert marks.shape(index) == marks.SHAPES[style.marker(index)]
