"""Frames that vanish while a page is made leave a page that says so; a method looks alike in plots and on the page."""

from dataclasses import replace

import numpy as np
import pytest

from bench.metrics.places import finder
from bench.report.look import THEMES
from bench.report.page import album, choose, marks, places, regions
from bench.report.page.choose import Look, PictureBudget
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


def test_the_second_look_ends_at_the_last_frame_that_is_shown():
    length, pixels, decoded = 400, np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3), np.uint8), []

    def read():
        for index in range(length):
            decoded.append(index)
            yield pixels[index % 2]

    record = make("m", "a", [20.0] * 7 + [1.0] + [20.0] * 392, [1.0], size=(16, 24))
    long = replace(material({"sr:m": read}), frames=length)
    made = album.build([long], [replace(record, scores={})], PictureBudget(50_000, frames=1), finder)
    assert made.clips[0]["shown"] == [0] and made.clips[0]["slice"] is None
    assert len(decoded) == length + 1


def test_windows_shrink_as_if_the_costliest_were_searched_each_time():
    rng = np.random.default_rng(1)
    many = [Material("set", str(n), 3 + n % 4, 4, (720, 1280), {}) for n in range(12)]
    looks = [Look(rng.random((180, 320)), cost, np.zeros(1)) for cost in (2.0, 1.0, 1.0, 0.5) * 3]
    looks[5] = None
    for budget in (0, 200_000, 1_000_000, 4_000_000, 20_000_000, 10**12):
        found = choose._windows(many, looks, PictureBudget(budget))
        assert found == windows_one_by_one(many, looks, budget), budget


def windows_one_by_one(materials, looks, budget):
    step, few = [0] * len(materials), [min(m.frames, choose.ENOUGH) for m in materials]

    def box(i):
        return regions.window(looks[i].spread, materials[i].size, choose.LARGEST[step[i]], 4) if looks[i] else None

    def price(i):
        return boxes[i][2] * boxes[i][3] * looks[i].cost if looks[i] else 0.0

    boxes = [box(i) for i in range(len(materials))]
    while sum(price(i) * few[i] for i in range(len(materials))) > budget * (1 - choose.SLICES):
        can = [i for i in range(len(materials)) if looks[i] and step[i] + 1 < len(choose.LARGEST)]
        if not can:
            break
        costliest = max(can, key=price)
        step[costliest] += 1
        boxes[costliest] = box(costliest)
    return boxes


def test_what_is_shown_of_many_clips_is_chosen_in_few_passes_over_the_records():
    """With a pass for each clip, metric or method, a page of thousands of clips would take hours."""

    class Counted(list):
        passes = 0

        def __iter__(self):
            Counted.passes += 1
            return super().__iter__()

    clips, methods = 30, 10
    found = Counted(make(f"m{m}", f"c{c}", [20.0], [1.0]) for c in range(clips) for m in range(methods))
    many = [Material("set", f"c{n}", 1, 4, (40, 80), {}) for n in range(clips)]
    choose.choose(many, [None] * clips, found, PictureBudget(0))
    places.find_all(many, found, finder, 0.0)
    assert Counted.passes < 12
